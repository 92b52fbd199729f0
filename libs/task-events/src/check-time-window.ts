/**
 * Whether an event is of now.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';
import type { Clock, EventEnvelope } from '@mayfly/domain';
import { RejectedEvent } from './rejected-event.js';

/** How old an event may be, in seconds: one day, which is more than any outage that a task would survive. */
export const MAX_AGE_SECONDS = 86_400;
/** How far ahead of ours an orchestrator's clock may be, in seconds. */
export const MAX_SKEW_SECONDS = 300;

/**
 * Checks an event's time, where it says one. Meant for starts, so that an old topic that is replayed
 * mints nothing; an end is taken however late it comes, since it can only take access away.
 * @throws RejectedEvent `time-out-of-window`
 */
export function checkTimeWindow({ time }: Pick<EventEnvelope, 'time'>, clock: Clock): void {
  if (!time) return;
  const now = clock.now();
  if (time < plusSeconds(now, -MAX_AGE_SECONDS)) throw new RejectedEvent('time-out-of-window', 'the event is older than a day');
  if (time > plusSeconds(now, MAX_SKEW_SECONDS))
    throw new RejectedEvent('time-out-of-window', 'the event is from the future; check the clocks');
}
