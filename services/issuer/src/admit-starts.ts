/**
 * Starts that come at the same moment, admitted in one transaction: what a round costs hardly grows with how many there are.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { Policy } from '@mayfly/policy';
import type { CurrentPolicy, Database, QuotaWatch } from '@mayfly/store';
import type { TaskStartedMessage } from '@mayfly/task-events';
import type { TraceContext } from '@mayfly/telemetry';
import type { Admission } from './admission.js';
import { admit } from './flow.js';
import type { MintClaim } from './mint-book.js';

/** What admitting works with. */
export interface AdmittingDependencies {
  readonly database: Database;
  readonly policies: CurrentPolicy<Policy>;
  readonly quotas: QuotaWatch;
  readonly clock: Clock;
  /** What this installation is called in signatures. */
  readonly audience: string;
}

/** One start, and the span in which it came. */
export interface Start {
  readonly message: TaskStartedMessage;
  readonly trace: TraceContext | undefined;
}

/** What became of a start: something to mint, nothing to do, or why it failed. */
export interface Admitted {
  readonly claim?: MintClaim | undefined;
  readonly failure?: unknown;
}

/**
 * Admits all of them, or as many as may go together; the others follow one by one. A start whose event must be parked fails alone.
 * @throws whatever keeps the round from being written; nothing of it is admitted then
 */
export async function admitStarts(on: AdmittingDependencies, starts: readonly Start[]): Promise<Admitted[]> {
  const { first, later } = apart(starts);
  const admitted = new Map(await round(on, first));
  for (const start of later) {
    // The first ones are admitted by now, whatever happens to this one.
    const alone = await round(on, [start]).catch((failure: unknown) => [[start, { failure }]] as const);
    for (const [, outcome] of alone) admitted.set(start, outcome);
  }
  return starts.map((start) => admitted.get(start) ?? {});
}

function round({ database, policies, quotas, clock, audience }: AdmittingDependencies, starts: readonly Start[]) {
  return database.transaction('admit task', async (tx): Promise<(readonly [Start, Admitted])[]> => {
    const known = { tx, policies, quotas, audience, clock, now: clock.now(), admissions: [] as readonly Admission[] };
    const all = starts.map((start): [Start, Admission] => [start, { round: known, ...start }]);
    known.admissions = all.map(([, admission]) => admission);
    await admit(known);
    return all.map(([start, { claim, rejected }]) => [start, { claim, ...(rejected && { failure: rejected }) }]);
  });
}

/** What has to see another one of them written down comes later: the same task or event once more, or a sub-task of one. */
function apart(starts: readonly Start[]): { first: readonly Start[]; later: readonly Start[] } {
  const tasks = new Set<string>(starts.map(({ message }) => message.task.taskId));
  const seen = new Set<string>();
  const first: Start[] = [];
  const later: Start[] = [];
  for (const start of starts) {
    const { task, envelope } = start.message;
    const names = [`task ${task.taskId}`, `event ${JSON.stringify([envelope.source, envelope.id])}`];
    const waits = names.some((name) => seen.has(name)) || (task.parentTaskId !== undefined && tasks.has(task.parentTaskId));
    for (const name of names) seen.add(name);
    (waits ? later : first).push(start);
  }
  return { first, later };
}
