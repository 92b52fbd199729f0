/**
 * Admitted tasks that wait in this process for a place to be minted for: giving each back to the ledger and taking it again would cost more
 * than the minting's own part of it.
 * @module
 */
import type { Claimed } from '@mayfly/store';

/** More are given back to the ledger. A second's worth, and a small part of a claim's time. */
const AT_MOST = 256;
/** The ledger is looked at so often however many wait here, in milliseconds: what it has queued waits for a place too. */
const LEDGER_EVERY_MS = 500;

/** Claims that this process holds, in the order in which they came. */
export class WaitingMints {
  readonly #waiting: Claimed[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param fromLedger takes at most so many that are due there */
  constructor(
    private readonly fromLedger: (limit: number) => Promise<readonly Claimed[]>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Keeps one; false when too many wait already. */
  put(claim: Claimed): boolean {
    if (this.#waiting.length >= AT_MOST) return false;
    this.#waiting.push(claim);
    return true;
  }

  /** True when none waits here. */
  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Takes at most so many: those that wait here, but from time to time the ledger's first. */
  async take(limit: number): Promise<readonly Claimed[]> {
    if (!this.empty && this.now() - this.#lookedAt < LEDGER_EVERY_MS) return this.#waiting.splice(0, limit);
    this.#lookedAt = this.now();
    const due = await this.fromLedger(limit);
    return [...due, ...this.#waiting.splice(0, limit - due.length)];
  }
}
