/**
 * Trying again what may work later, within a bound.
 * @module
 */
import { MayflyProblem } from './problem.js';

const MAY_WORK_LATER = new Set(['not-ready', 'pending-approval', 'vault-unavailable', 'store-unavailable', 'unreachable']);
const DEFAULT_PAUSE_SECONDS = 1;

/**
 * Calls until it works, as often as `Retry-After` allows, and gives up with the last problem when the next try would be too late.
 * @param seconds bound of the whole, from the first call
 * @param attempt gets the seconds that are left
 */
export async function withPatience<T>(seconds: number, attempt: (secondsLeft: number) => Promise<T>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt(Math.max(0, (deadline - performance.now()) / 1000));
    } catch (error) {
      if (!(error instanceof MayflyProblem) || !MAY_WORK_LATER.has(error.code)) throw error;
      const pause = (error.retryAfterSeconds ?? DEFAULT_PAUSE_SECONDS) * 1000;
      if (performance.now() + pause > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
