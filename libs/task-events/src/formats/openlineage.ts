/**
 * OpenLineage run events: bare JSON without any header. The task id is `run.runId`, START starts,
 * RUNNING is a heartbeat, COMPLETE, FAIL and ABORT end. What a task asks for is in the run facet
 * `mayfly`: the data of a Mayfly start, in which `workflow` falls back to the job's name. These events
 * have no id and no source of their own; they get `urn:openlineage:<job namespace>` as the source to register.
 * @module
 */
import type { TaskOutcome } from '@mayfly/domain';
import { z } from 'zod';
import { fit, line, taskIdForm, time } from '../forms.js';
import type { Origin, TaskContent } from '../messages.js';
import type { OpenedRecord } from '../open-record.js';
import { RejectedEvent } from '../rejected-event.js';
import { SIGNATURE_HEADER } from '../signed-statement.js';
import { signedOf } from '../signed-of.js';
import { traceContextOf } from '../trace-context.js';
import { startedForm } from './mayfly.js';
import { startOf } from './start-of.js';

const OUTCOMES: Readonly<Record<string, TaskOutcome>> = { COMPLETE: 'succeeded', FAIL: 'failed', ABORT: 'cancelled' };

const form = z.object({
  eventTime: time,
  eventType: z.enum(['START', 'RUNNING', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER']).default('OTHER'),
  run: z.object({ runId: z.guid(), facets: z.object({ mayfly: z.record(z.string(), z.unknown()).exactOptional() }).default({}) }),
  job: z.object({ namespace: line(512), name: line(512) }),
});

/** True for a JSON object that has the two marks of a run event. */
export function isRunEvent({ body }: OpenedRecord): boolean {
  if (typeof body !== 'object' || body === null || !('schemaURL' in body) || !('run' in body)) return false;
  return typeof body.run === 'object' && body.run !== null && 'runId' in body.run;
}

/**
 * Reads a run event.
 * @throws RejectedEvent
 */
export function readRunEvent({ headers, body }: OpenedRecord): Omit<Origin, 'digest'> & { content: TaskContent } {
  const event = fit(form, body);
  const { runId } = event.run;
  const envelope = {
    id: `${runId}.${event.eventType}.${event.eventTime.toISOString()}`,
    source: `urn:openlineage:${encodeURIComponent(event.job.namespace)}`,
    type: `io.openlineage.run.${event.eventType.toLowerCase()}`,
    time: event.eventTime,
    ...traceContextOf(headers),
  };
  return { envelope, content: contentOf(event), ...signedOf(headers.get(SIGNATURE_HEADER), body) };
}

function contentOf({ eventType, run, job }: z.infer<typeof form>): TaskContent {
  const outcome = OUTCOMES[eventType];
  if (outcome) return { kind: 'ended', end: { taskId: fit(taskIdForm, run.runId), outcome } };
  if (eventType === 'RUNNING') return { kind: 'heartbeat', taskId: fit(taskIdForm, run.runId) };
  if (eventType === 'START') return { kind: 'started', task: fit(startedForm, startOf(run.runId, job.name, run.facets.mayfly)) };
  throw new RejectedEvent('unknown-type', 'a run event of this kind says nothing about the life of a task');
}
