/**
 * From a Kafka record to a signal.
 * @module
 */
import { digestOf, IN_EVENTS } from '@mayfly/domain';
import { z } from 'zod';
import { readCloudEvent } from './cloud-event.js';
import { fit, line, prose, risk, taskIdForm } from './forms.js';
import type { EventRecord, RiskSubject, SignalContent, SignalMessage } from './messages.js';
import { openRecord } from './open-record.js';
import { RejectedEvent } from './rejected-event.js';

const policyChanged = z.object({
  policyDigest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits')
    .exactOptional(),
});

const subject: z.ZodType<RiskSubject> = z
  .object({ taskId: taskIdForm.exactOptional(), agent: line(2048).exactOptional(), initiator: line(512).exactOptional() })
  .refine((named) => Object.keys(named).length === 1, 'must name exactly one of taskId, agent and initiator')
  .transform((named) => named as RiskSubject);
const riskChanged = z.object({ subject, risk, reason: prose(2000).exactOptional() });

/**
 * Reads an event of the signals topic.
 * @throws RejectedEvent and nothing else, whatever the bytes are
 */
export function readSignal(record: EventRecord): SignalMessage {
  const { data, ...origin } = readCloudEvent(openRecord(record));
  const content = contentOf(origin.envelope.type, data);
  return { ...content, ...origin, digest: digestOf(content) };
}

function contentOf(type: string, data: unknown): SignalContent {
  switch (type) {
    case IN_EVENTS.policyChanged:
      return { kind: 'policy-changed', ...fit(policyChanged, data ?? {}) };
    case IN_EVENTS.riskSignal:
      return { kind: 'risk', ...fit(riskChanged, data) };
    default:
      throw new RejectedEvent('unknown-type', 'no event of this type is read from this topic');
  }
}
