import { digestOf } from '@mayfly/domain';
import { findGrantByTask, noteEvent } from '@mayfly/store';
import { RejectedEvent } from '@mayfly/task-events';
import type { Admission } from '../admission.js';

/**
 * One task id names one run for ever. The same start once more changes nothing; another start under the same id, or any start of a
 * task that has ended, is parked.
 */
export async function dropIfKnown(known: Admission): Promise<'stop' | void> {
  const { tx, message } = known;
  known.requestDigest = digestOf(JSON.parse(JSON.stringify(message.task)));
  const sighting = await noteEvent(tx, message.envelope.source, message.envelope.id, message.digest);
  if (sighting === 'conflict')
    throw new RejectedEvent('event-conflict', 'an event with this source and id was seen before with other content');
  const grant = await findGrantByTask(tx, message.task.taskId);
  if (!grant) return;
  if (grant.state === 'closing' || grant.state === 'closed')
    throw new RejectedEvent('task-ended', 'this task has ended; a new run needs a new task id');
  if (grant.source !== message.envelope.source || grant.requestDigest !== known.requestDigest) {
    throw new RejectedEvent('task-conflict', 'a task with this id was started before with other content; a new run needs a new task id');
  }
  return 'stop';
}
