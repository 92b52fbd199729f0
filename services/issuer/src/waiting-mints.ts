/**
 * Admitted tasks that wait in this process for a place to be minted for: giving each back to the ledger and taking it again would cost more
 * than the minting's own part of it.
 * @module
 */
import type { Claimed } from '@mayfly/store';
import type { MintClaim } from './mint-book.js';

/** More are given back to the ledger. Some seconds' worth, and less than a claim's time. */
const AT_MOST = 1_024;
/** The ledger is looked at so often however many wait here, in milliseconds: what it has queued waits for a place too. */
const LEDGER_EVERY_MS = 500;

/** Claims that this process holds: by turns between the tenants, as in the ledger, and of each in the order in which they came. */
export class WaitingMints {
  readonly #waiting = new Map<string, MintClaim[]>();
  #count = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param fromLedger takes at most so many that are due there */
  constructor(
    private readonly fromLedger: (limit: number) => Promise<readonly Claimed[]>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Keeps one; false when too many wait already. */
  put(claim: MintClaim): boolean {
    if (this.#count >= AT_MOST) return false;
    const { tenant } = claim.grant;
    const line = this.#waiting.get(tenant);
    if (line) line.push(claim);
    else this.#waiting.set(tenant, [claim]);
    this.#count += 1;
    return true;
  }

  /** True when none waits here. */
  get empty(): boolean {
    return this.#count === 0;
  }

  /** Takes at most so many: those that wait here, but from time to time the ledger's first. */
  async take(limit: number): Promise<readonly MintClaim[]> {
    if (!this.empty && this.now() - this.#lookedAt < LEDGER_EVERY_MS) return this.#byTurns(limit);
    this.#lookedAt = this.now();
    const due = await this.fromLedger(limit);
    return [...due, ...this.#byTurns(limit - due.length)];
  }

  #byTurns(limit: number): MintClaim[] {
    const taken: MintClaim[] = [];
    for (const [tenant, line] of this.#waiting) {
      if (taken.length >= limit) break;
      taken.push(line.shift()!);
      this.#count -= 1;
      // Whoever had a turn comes last: the loop comes to him again after all the others.
      this.#waiting.delete(tenant);
      if (line.length > 0) this.#waiting.set(tenant, line);
    }
    return taken;
  }
}
