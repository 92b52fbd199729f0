/**
 * When to try again. There is no last attempt.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';

const FIRST_SECONDS = 0.25;
/** Also how long after an outage the last of what waited for its end is tried: an outage plus 15 s is what is promised. */
const LONGEST_SECONDS = 10;

/** After so many failed attempts a lease is called `stuck`: an alarm, not an end. */
export const STUCK_AFTER_ATTEMPTS = 5;

/** The next attempt after `attempts` failed ones (1 or more): doubling from a quarter second to ten seconds. */
export const nextAttemptAt = (attempts: number, now: Date): Date =>
  plusSeconds(now, Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** Math.min(attempts - 1, 16)));
