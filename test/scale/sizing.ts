/** From a load to machines: work in, processors out (the utilization law), tasks in, rows out (Little's law). */
import { BYTES, CALL, END, LOGIN, START } from './costs.ts';

export interface Load {
  /** Tasks that start, and as many that end. */
  readonly tasksPerSecond: number;
  /** How long one lives. */
  readonly taskSeconds: number;
  /** Part of the tasks that get a database login. */
  readonly logins: number;
  /** Tool calls that a task asks about while it lives. */
  readonly callsPerTask: number;
  /** How long ended tasks stay in the ledger. */
  readonly keptDays: number;
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
  readonly ledgerCores: number;
  readonly partitions: number;
  readonly liveGib: number;
  readonly endedGibPerDay: number;
  readonly evidenceGibPerDay: number;
  readonly keptGib: number;
}

const GIB = 2 ** 30;
const DAY = 86_400;

/** A service is one processor; partitions are twice the consumers, so that these can double before topics have to be made anew. */
export function sizeOf({ tasksPerSecond, taskSeconds, logins, callsPerTask, keptDays }: Load, { busyAtMost, coresOfVault }: Plan): Size {
  const cores = (msPerTask: number): number => Math.ceil((tasksPerSecond * msPerTask) / 1_000 / busyAtMost);
  const half = logins / 2;
  const issuers = cores(START.service + half * LOGIN.service);
  const revokers = cores(END.service + half * LOGIN.service);
  const liveGrants = tasksPerSecond * taskSeconds;
  const endedGibPerDay = (tasksPerSecond * DAY * BYTES.ended) / GIB;
  const evidenceGibPerDay = (tasksPerSecond * DAY * BYTES.evidence) / GIB;
  return {
    liveGrants,
    issuers,
    revokers,
    deliveries: cores(callsPerTask * CALL.alone),
    vaultClusters: Math.ceil(cores(START.vault + END.vault + logins * LOGIN.vault) / coresOfVault),
    ledgerCores: cores(START.ledger + END.ledger + logins * LOGIN.ledger),
    partitions: 2 * Math.max(issuers, revokers),
    liveGib: (liveGrants * BYTES.live) / GIB,
    endedGibPerDay,
    evidenceGibPerDay,
    keptGib: keptDays * (endedGibPerDay + evidenceGibPerDay),
  };
}
