/**
 * Fences come before kills: what is written down as ended is handed to nobody any more, and that takes a thousandth of what its death does.
 * @module
 */

/** How long a flood of ends may hold up the killing, in milliseconds; then kills have at least as long for themselves. */
const LONGEST_MILLISECONDS = 10_000;

/** Counts the ends on their way in. */
export class Flood {
  #arriving = 0;
  #since = Number.NEGATIVE_INFINITY;

  /**
   * @param many ends on their way in at the same time that make a flood
   * @param now monotonic clock, in milliseconds
   */
  constructor(
    private readonly many: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Does the work of taking one end in. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#arriving += 1;
    try {
      return await work();
    } finally {
      this.#arriving -= 1;
    }
  }

  /** True while killing shall stand back. */
  isHigh(): boolean {
    if (this.#arriving <= this.many) return false;
    const now = this.now();
    if (now - this.#since >= 2 * LONGEST_MILLISECONDS) this.#since = now;
    return now - this.#since < LONGEST_MILLISECONDS;
  }
}
