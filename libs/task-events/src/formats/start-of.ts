/**
 * A start that travels inside another format.
 * @module
 */
import { RejectedEvent } from '../rejected-event.js';

/**
 * The data of a Mayfly start, made of what a foreign event carries: its own task id, its workflow's
 * name where the request names none, and the request itself.
 * @throws RejectedEvent `nothing-asked` when it carries no request for Mayfly
 */
export function startOf(taskId: string, workflowName: string | undefined, asked: object | undefined): object {
  if (!asked) throw new RejectedEvent('nothing-asked', 'the event carries no request for credentials');
  return { workflow: { name: workflowName }, ...asked, taskId };
}
