/**
 * From a Kafka record to a signal.
 * @module
 */
import { digestOf, IN_EVENTS } from '@mayfly/domain';
import { z } from 'zod';
import { readCloudEvent } from './cloud-event.js';
import { fit, line, prose, risk, taskIdForm } from './forms.js';
import type { EventRecord, RiskSubject, SecurityEventMessage, SignalContent, SignalMessage } from './messages.js';
import { openRecord, openText, type OpenedRecord } from './open-record.js';
import { RejectedEvent } from './rejected-event.js';
import { SECURITY_EVENT_TYPE } from './security-event.js';

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
export function readSignal(record: EventRecord): SignalMessage | SecurityEventMessage {
  const { headers, text } = openText(record);
  if (isToken(headers.get('content-type'))) return { kind: 'security-event', token: text.trim() };
  const opened = openRecord(record);
  const token = tokenIn(opened);
  if (token !== undefined) return { kind: 'security-event', token };
  const { data, ...origin } = readCloudEvent(opened);
  const content = contentOf(origin.envelope.type, data);
  return { ...content, ...origin, digest: digestOf(content) };
}

/** The token that a CloudEvent in structured mode brings. What the event says around it counts for nothing: the token speaks for itself. */
function tokenIn({ headers, body }: OpenedRecord): string | undefined {
  if (!headers.get('content-type')?.startsWith('application/cloudevents')) return undefined;
  const { datacontenttype, data } = (body ?? {}) as { datacontenttype?: unknown; data?: unknown };
  return typeof datacontenttype === 'string' && isToken(datacontenttype) && typeof data === 'string' ? data : undefined;
}

const isToken = (contentType: string | undefined): boolean => contentType?.split(';')[0]?.trim().toLowerCase() === SECURITY_EVENT_TYPE;

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
