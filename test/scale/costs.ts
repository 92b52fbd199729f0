/**
 * What a task costs, measured with `npm run bench` (rows B1, B4, B7, B8) on two cores that everything shared: time on processors, in milliseconds.
 * Yours will differ; ratios between them hardly do.
 */
import type { Costs } from './simulate.ts';

/** One end: the steps that the simulation knows. Of the target's part nothing is Vault's: it is the database that drops the login. */
export const COSTS: Costs = { vaultCall: 1.3, vaultLease: 4.1, target: 6, ledger: 3 };

/** Time on processors that one start or end takes in each part, in milliseconds. */
export interface Parts {
  /** Issuer or revoker. */
  readonly service: number;
  readonly vault: number;
  readonly ledger: number;
  readonly kafka: number;
  readonly evidence: number;
}

/** A start that makes a task token, and an end that proves it dead. */
export const START: Parts = { service: 2.1, vault: 1.9, ledger: 1.4, kafka: 0.6, evidence: 0.6 };
export const END: Parts = { service: 2.2, vault: 2.6, ledger: 2.1, kafka: 0.8, evidence: 0.4 };
/** What a database login adds, start and end together; the target is the database that it is for. */
export const LOGIN = { service: 6.7, vault: 10.9, ledger: 4, kafka: 3.4, evidence: 2.5, target: 10.8 } as const;

/** One tool call that is asked about by itself; in a list of 32 it is a fifth of that. */
export const CALL = { service: 0.6, ledger: 0.4, kafka: 0.1, evidence: 0.3 } as const;

/** Bytes on disk, indexes with them: a grant with its credential, a lease, an event in the inbox, a record of evidence; records of one task. */
export const BYTES = { grant: 2_200, lease: 380, event: 320, record: 1_000, recordsOfTask: 8 } as const;
