/**
 * What a task costs: time on processors in milliseconds, from the runs that docs/benchmarks.json holds (two cores that everything shared).
 * Yours will differ; ratios between them hardly do. A test holds {@link MEASURED} against those runs.
 */
import type { Costs } from './simulate.ts';

/** Medians and notes as they were published, by row; `at` is the run. What other processes use by reading along (0.3 ms at most) is left out. */
export const MEASURED = {
  /** B1, "CPU of a start": the login's has everything of the token's in it. */
  start: {
    at: '2026-11-23T04:55:03.181Z',
    token: { issuer: 1.41, openbao: 2.21, postgres: 2.43, kafka: 0.24, evidence: 0.27 },
    login: { issuer: 5.1, openbao: 11.43, postgres: 15.31, kafka: 1, evidence: 1.01 },
    /** The same calls made bare: they write no ledger, so that this is the target's. */
    bareLogin: { postgres: 8.5 },
  },
  /** B4, "CPU of …, ms/end" (a quick run: 60 ends with a login). */
  end: {
    at: '2026-11-23T05:12:07.930Z',
    token: { revoker: 1.8, openbao: 2.15, postgres: 1.5, kafka: 0.425, evidence: 0.3 },
    login: { revoker: 4.5, openbao: 6.33, postgres: 8.33, kafka: 1.33, evidence: 0.667 },
  },
  /** B7, "CPU of one decision". It stops counting with the last answer: evidence that was not chained by then is missing. */
  call: { at: '2026-11-23T04:55:03.181Z', decision: { delivery: 0.38, postgres: 0.36, kafka: 0.03, evidence: 0.12 } },
  /** B8, "Bytes on disk". */
  bytes: { at: '2026-11-23T05:17:32.609Z', grant: 2_060, lease: 385, event: 355, record: 982 },
} as const;

/** An estimate: what "What limits it" in docs/benchmarks.md tells of B5, where PostgreSQL's part of an end was looked at by database. */
const TARGET_OF_END = 3.5;

/** Time on processors that one start or end takes in each part, in milliseconds. */
export interface Parts {
  /** Issuer or revoker. */
  readonly service: number;
  readonly vault: number;
  readonly ledger: number;
  readonly kafka: number;
  readonly evidence: number;
  /** The database that a login is for. */
  readonly target: number;
}

const { start, end, call } = MEASURED;

/** A start that makes a task token. */
export const START = partsOf(start.token.issuer, start.token, 0);
/** An end that proves it dead. */
export const END = partsOf(end.token.revoker, end.token, 0);
/** What a database login adds to a start. */
export const LOGIN_START = difference(partsOf(start.login.issuer, start.login, start.bareLogin.postgres), START);
/** What it adds to an end. */
export const LOGIN_END = difference(partsOf(end.login.revoker, end.login, TARGET_OF_END), END);
/** One tool call that is asked about by itself. In a list it is about half of that: an estimate, no published run has it with its evidence. */
export const CALL = {
  service: call.decision.delivery,
  ledger: call.decision.postgres,
  kafka: call.decision.kafka,
  evidence: call.decision.evidence,
} as const;

/** The steps of one end, as the simulation takes them. A token's end is two calls of Vault; a look-up after a lease is taken for as much as one of these. */
export const COSTS: Costs = {
  vaultCall: END.vault / 2,
  vaultLease: LOGIN_END.vault - END.vault / 2,
  target: LOGIN_END.target,
  ledger: END.ledger,
  ledgerLogin: LOGIN_END.ledger,
};

/** Bytes on disk, indexes with them: a grant with its credential, a lease, an event in the inbox, a record of evidence. Records of one task are an estimate. */
export const BYTES = { ...MEASURED.bytes, recordsOfTask: 8 } as const;

interface Used {
  readonly openbao: number;
  readonly postgres: number;
  readonly kafka: number;
  readonly evidence: number;
}

function partsOf(service: number, { openbao, postgres, kafka, evidence }: Used, target: number): Parts {
  return { service, vault: openbao, ledger: postgres - target, kafka, evidence, target };
}

function difference(more: Parts, less: Parts): Parts {
  return Object.fromEntries(Object.entries(more).map(([part, ms]) => [part, ms - less[part as keyof Parts]])) as unknown as Parts;
}
