import { digestOf } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import { grantsOfTasks, noteEvents, type Sighting } from '@mayfly/store';
import { RejectedEvent } from '@mayfly/task-events';
import type { Admission, Round } from '../admission.js';

/**
 * One task id names one run for ever. The same start once more changes nothing; another start under the same id, or any start of a
 * task that has ended, is parked.
 */
export async function dropKnown(round: Round): Promise<void> {
  const { tx, admissions } = round;
  const sightings = await noteEvents(
    tx,
    admissions.map(({ message: { envelope, digest } }) => ({ source: envelope.source, id: envelope.id, digest })),
  );
  const grants = await grantsOfTasks(
    tx,
    admissions.map(({ message }) => message.task.taskId),
  );
  const known = new Map(grants.map((grant) => [grant.taskId, grant]));
  round.admissions = admissions.filter((admission, place) => {
    const { message } = admission;
    admission.requestDigest = digestOf(JSON.parse(JSON.stringify(message.task)));
    const grant = known.get(message.task.taskId);
    const reason = contradiction(admission, sightings[place], grant);
    if (reason) admission.rejected = reason;
    return !reason && !grant;
  });
}

function contradiction({ message, requestDigest }: Admission, sighting: Sighting | undefined, grant: Grant | undefined) {
  if (sighting === 'conflict')
    return new RejectedEvent('event-conflict', 'an event with this source and id was seen before with other content');
  if (!grant) return undefined;
  if (grant.state === 'closing' || grant.state === 'closed')
    return new RejectedEvent('task-ended', 'this task has ended; a new run needs a new task id');
  if (grant.source !== message.envelope.source || grant.requestDigest !== requestDigest)
    return new RejectedEvent('task-conflict', 'a task with this id was started before with other content; a new run needs a new task id');
  return undefined;
}
