/**
 * A bound on how often something is done.
 * @module
 */
import type { Clock } from '@mayfly/domain';

/** So many at once, then so many per second. */
export class Allowance {
  #left: number;
  #at: number;

  constructor(
    private readonly clock: Clock,
    private readonly burst: number,
    private readonly perSecond: number,
  ) {
    this.#left = burst;
    this.#at = clock.now().getTime();
  }

  /** Takes one; false when there is none. A clock that is set back gives nothing. */
  take(): boolean {
    const now = this.clock.now().getTime();
    this.#left = Math.min(this.burst, this.#left + (Math.max(0, now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
