/**
 * What was looked at and settled need not be looked at again while nothing was written: neither in Vault nor in the ledger.
 * @module
 */
import type { VaultMarks } from '@mayfly/revocation';
import { ledgerMark, type Database, type LedgerTable } from '@mayfly/store';

/** What is watched for being written. */
export interface StillnessDependencies {
  readonly marks: VaultMarks;
  readonly database: Database;
  /** Those of the ledger's tables that the look depends on. */
  readonly tables: readonly LedgerTable[];
}

/** Everything is looked at again after so long, in milliseconds, whatever the marks say: nobody's bookkeeping is trusted for ever. */
const LONGEST_MILLISECONDS = 600_000;

interface Settled {
  readonly vault: string;
  readonly ledger: string;
  readonly about: unknown;
  readonly at: number;
}

/** Remembers at which marks a look found everything settled. */
export class Stillness {
  #settled: Settled | undefined;

  /** @param now monotonic clock, in milliseconds */
  constructor(
    private readonly on: StillnessDependencies,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Begins a look.
   * @param about what else it depends on; the same object means the same
   * @returns undefined when it would find what the last one found; otherwise what to call once it has found everything settled
   */
  async begin(about: unknown): Promise<(() => void) | undefined> {
    // INVARIANT: asked before looking: what is written during the look makes the next marks others.
    const vault = await this.on.marks.mark();
    if (vault === undefined) return () => undefined;
    const ledger = await ledgerMark(this.on.database, this.on.tables);
    const before = this.#settled;
    const at = this.now();
    if (before?.vault === vault && before.ledger === ledger && before.about === about && at - before.at < LONGEST_MILLISECONDS)
      return undefined;
    return () => (this.#settled = { vault, ledger, about, at });
  }
}
