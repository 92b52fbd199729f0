/**
 * CDEvents taskRun, versions 0.2.0 (CDEvents 0.4) and 0.3.0 (CDEvents 0.5), as they are on the wire.
 * The task id is `subject.id`. What a task asks for is in `customData.mayfly`: the data of a Mayfly
 * start, in which `taskId` may be left out and `workflow` falls back to the task's name.
 * @module
 */
import type { EventEnvelope, TaskOutcome } from '@mayfly/domain';
import { z } from 'zod';
import { fit, taskIdForm } from '../forms.js';
import type { TaskContent } from '../messages.js';
import { RejectedEvent } from '../rejected-event.js';
import { startedForm } from './mayfly.js';
import { startOf } from './start-of.js';

/** Event types that this file reads. */
export const CDEVENTS_TYPE = /^dev\.cdevents\.taskrun\.(started|finished)\.0\.[23]\.\d+$/;

const OUTCOMES = { success: 'succeeded', failure: 'failed', error: 'failed', cancel: 'cancelled' } as const satisfies Record<
  string,
  TaskOutcome
>;

const form = z.object({
  context: z.object({ id: z.string(), source: z.string(), type: z.string() }),
  subject: z.object({
    id: z.string(),
    content: z.object({
      taskName: z.string().exactOptional(),
      outcome: z.enum(['success', 'failure', 'error', 'cancel']).exactOptional(),
    }),
  }),
  customData: z.unknown().optional(),
});

/**
 * Reads a taskRun event.
 * @throws RejectedEvent
 */
export function readTaskRun(envelope: EventEnvelope, data: unknown): TaskContent {
  const { context, subject, customData } = fit(form, data);
  if (context.id !== envelope.id || context.source !== envelope.source || context.type !== envelope.type) {
    throw new RejectedEvent('contradiction', 'context and CloudEvents attributes say different things');
  }
  const { taskName, outcome } = subject.content;
  if (envelope.type.includes('.finished.')) {
    // The outcome is optional there; a task that is over without one has not said that it succeeded.
    return { kind: 'ended', end: { taskId: fit(taskIdForm, subject.id), outcome: outcome ? OUTCOMES[outcome] : 'failed' } };
  }
  return { kind: 'started', task: fit(startedForm, startOf(subject.id, taskName, askedBy(customData))) };
}

function askedBy(customData: unknown): object | undefined {
  const asked = typeof customData === 'object' && customData !== null && 'mayfly' in customData ? customData.mayfly : undefined;
  return typeof asked === 'object' && asked !== null ? asked : undefined;
}
