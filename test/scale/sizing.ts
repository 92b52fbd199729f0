/** From a load to machines: work in, processors out (the utilization law), tasks in, rows out (Little's law). */
import type { Told } from './scenarios.ts';
import { BYTES, CALL, END, LOGIN_END, LOGIN_START, START, type Parts } from './costs.ts';

export interface Load {
  /** Tasks that start, and as many that end. */
  readonly tasksPerSecond: number;
  /** How long one lives. */
  readonly taskSeconds: number;
  /** Part of the tasks that get a database login. */
  readonly logins: number;
  /** Tool calls that a task asks about while it lives. */
  readonly callsPerTask: number;
}

/** How it is run. */
export interface Plan {
  /** Part of the time that a processor may work: the rest is what keeps queues short. */
  readonly busyAtMost: number;
  /** Processors of one active Vault node that calls can use. */
  readonly coresOfVault: number;
}

export interface Size {
  readonly liveGrants: number;
  readonly issuers: number;
  readonly revokers: number;
  readonly deliveries: number;
  readonly vaultClusters: number;
  /** What one walk over the task tokens of one cluster lists, compares with the ledger and holds in memory. */
  readonly accessorsOfCluster: number;
  /** By all revokers of one cluster together, while anything changes. */
  readonly listedMibPerSecond: number;
  readonly ledgerCores: number;
  /** A log has one writer at a time, which is one processor: so many logs, each in a ledger of its own. */
  readonly evidenceLogs: number;
  readonly kafkaCores: number;
  /** Of the tasks topic. */
  readonly partitions: number;
  readonly liveGib: number;
  readonly endedGibPerDay: number;
  readonly evidenceGibPerDay: number;
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** How often a revoker lists them (services/revoker/src/reconciler.ts), and an accessor in a JSON list: 24 characters, quotes and a comma. */
const WALK_SECONDS = 10;
const ACCESSOR_BYTES = 27;
const DAY = 86_400;

/** A service's process is one processor; partitions are twice the consumers, so that these can double before topics have to be made anew. */
export function sizeOf({ tasksPerSecond, taskSeconds, logins, callsPerTask }: Load, { busyAtMost, coresOfVault }: Plan): Size {
  const cores = (msPerTask: number): number => Math.ceil((tasksPerSecond * msPerTask) / 1_000 / busyAtMost);
  const both = (part: keyof Parts): number => START[part] + END[part] + logins * (LOGIN_START[part] + LOGIN_END[part]);
  const issuers = cores(START.service + logins * LOGIN_START.service);
  const revokers = cores(END.service + logins * LOGIN_END.service);
  const liveGrants = tasksPerSecond * taskSeconds;
  const vaultClusters = Math.ceil(cores(both('vault')) / coresOfVault);
  const perDay = (bytes: number): number => (tasksPerSecond * DAY * bytes) / GIB;
  return {
    liveGrants,
    issuers,
    revokers,
    deliveries: cores(callsPerTask * CALL.service),
    vaultClusters,
    accessorsOfCluster: Math.ceil(liveGrants / vaultClusters),
    listedMibPerSecond: (liveGrants * ACCESSOR_BYTES * Math.ceil(revokers / vaultClusters)) / vaultClusters / MIB / WALK_SECONDS,
    ledgerCores: cores(both('ledger') + callsPerTask * CALL.ledger),
    evidenceLogs: cores(both('evidence') + callsPerTask * CALL.evidence),
    kafkaCores: cores(both('kafka') + callsPerTask * CALL.kafka),
    partitions: 2 * Math.max(issuers, revokers),
    liveGib: (liveGrants * (BYTES.grant + BYTES.lease)) / GIB,
    endedGibPerDay: perDay(BYTES.grant + BYTES.lease + 2 * BYTES.event),
    evidenceGibPerDay: perDay((BYTES.recordsOfTask + callsPerTask) * BYTES.record),
  };
}

/** Loads that docs/scale.md speaks of. */
const LOADS: Readonly<Record<string, Load>> = {
  '50 tasks/s, a login each': { tasksPerSecond: 50, taskSeconds: 600, logins: 1, callsPerTask: 10 },
  '1,000 tasks/s, a login in ten': { tasksPerSecond: 1_000, taskSeconds: 1_000, logins: 0.1, callsPerTask: 10 },
  '10,000 tasks/s, 10 M live': { tasksPerSecond: 10_000, taskSeconds: 1_000, logins: 0.1, callsPerTask: 10 },
};
const PLAN = { busyAtMost: 0.6, coresOfVault: 16 };

export const sizes = (): Told[] => Object.entries(LOADS).map(([name, load]) => ({ name, figures: { ...sizeOf(load, PLAN) } }));
