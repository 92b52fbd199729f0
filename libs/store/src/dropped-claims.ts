/**
 * Claims whose work broke off. They are given back, if need be as soon as the ledger answers again: else an outage of the ledger would cost
 * what was under way the whole time of its hold on top.
 * @module
 */
import type { Claimed } from './queues.js';

/** Gives back claims, now or later. A claim that somebody else took meanwhile is left alone by `settle`. */
export class DroppedClaims {
  #dropped: Claimed[] = [];

  /** @param settle makes a claim due again */
  constructor(private readonly settle: (claim: Claimed) => Promise<void>) {}

  /** Gives a claim back, or keeps it for {@link retry}. Never rejects. */
  async drop(claim: Claimed): Promise<void> {
    await this.settle(claim).catch(() => this.#dropped.push(claim));
  }

  /** Gives back what could not be given back before. @throws what `settle` throws */
  async retry(): Promise<void> {
    for (let claim = this.#dropped[0]; claim; claim = this.#dropped[0]) {
      await this.settle(claim);
      this.#dropped.shift();
    }
  }
}
