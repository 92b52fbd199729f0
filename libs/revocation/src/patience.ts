/**
 * When to try again. There is no last attempt.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';

const FIRST_SECONDS = 0.25;
const LONGEST_SECONDS = 30;

/** After so many failed attempts a lease is called `stuck`: an alarm, not an end. */
export const STUCK_AFTER_ATTEMPTS = 5;

/** The next attempt after `attempts` failed ones (1 or more): doubling from a quarter second to half a minute. */
export const nextAttemptAt = (attempts: number, now: Date): Date =>
  plusSeconds(now, Math.min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** Math.min(attempts - 1, 16)));
