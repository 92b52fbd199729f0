/**
 * What a task costs, measured with `npm run bench` (rows B1, B4, B7, B8) on two cores that everything shared: time on processors, in milliseconds.
 * Yours will differ; ratios between them hardly do.
 */
import type { Costs } from './simulate.ts';

/** One end: the steps that the simulation knows. */
export const COSTS: Costs = { vaultCall: 0.9, vaultLease: 4, target: 8, ledger: 3 };

/** Time on processors that one start or end takes in each part, in milliseconds. */
export interface Parts {
  /** Issuer or revoker. */
  readonly service: number;
  readonly vault: number;
  readonly ledger: number;
  readonly kafka: number;
  readonly evidence: number;
}

export const START: Parts = { service: 2.5, vault: 2, ledger: 2, kafka: 1, evidence: 1 };
export const END: Parts = { service: 2.5, vault: 2, ledger: 2, kafka: 1, evidence: 1 };
/** What a database login adds to a task, start and end together; `target` is the database's own part. */
export const LOGIN = { service: 8, vault: 12, ledger: 4, target: 25 } as const;

/** One tool call over HTTP, and one in a list of 32: delivery and the ledger together. */
export const CALL = { alone: 0.6, inList: 0.1 } as const;

/** Bytes that a grant takes in the ledger with its credential, and its lease once it has one; indexes with them. */
export const BYTES = { live: 3_000, ended: 4_000, evidence: 2_500 } as const;
