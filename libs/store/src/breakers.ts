/**
 * Where the breakers of workflows stand, changed only by compare-and-set, and what is needed to judge one.
 * @module
 */
import type { BreakerRule, BreakerState, Grant } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { findGrantByTask } from './grants.js';

/** Whose breaker it is. */
export interface BreakerName {
  readonly source: string;
  readonly workflow: string;
  readonly agentId: string;
}

/** A breaker that was open at least once. */
export interface Breaker {
  readonly state: BreakerState;
  readonly since: Date;
  readonly trialTask: string | null;
}

/** What the ledger knows of a breaker; see `judgeBreaker` of `@mayfly/grant`. */
export async function readBreaker(
  tx: Sql,
  { source, workflow, agentId }: BreakerName,
  rule: BreakerRule,
): Promise<{ breaker: Breaker | undefined; failures: Date[]; trial: Grant | undefined }> {
  const [breaker] = await tx.run<Breaker>(
    'breaker.find',
    `select state, since, trial_task as "trialTask" from ledger.breaker where source = $1 and workflow = $2 and agent_id = $3`,
    [source, workflow, agentId],
  );
  const failures = await tx.run<{ at: Date }>(
    'breaker.failures',
    `select end_requested_at as at from ledger.task_grant
     where source = $1 and workflow = $2 and agent_id = $3 and end_requested_at is not null
       and (end_outcome in ('failed', 'timed_out') or end_cause = 'lost_heartbeat')
     order by end_requested_at desc limit $4`,
    [source, workflow, agentId, rule.failures],
  );
  const trial = breaker?.trialTask ? await findGrantByTask(tx, breaker.trialTask) : undefined;
  return { breaker, failures: failures.map(({ at }) => at), trial };
}

/**
 * Moves a breaker. False when it is not (or no longer) where it was seen: another start was faster, which is a normal outcome.
 * @param seen undefined: there was none
 */
export async function moveBreaker(
  tx: Sql,
  { source, workflow, agentId }: BreakerName,
  seen: Breaker | undefined,
  to: Breaker,
): Promise<boolean> {
  const name = [source, workflow, agentId, to.state, to.since, to.trialTask];
  const rows = seen
    ? await tx.run(
        'breaker.move',
        `update ledger.breaker set state = $4, since = $5, trial_task = $6
         where source = $1 and workflow = $2 and agent_id = $3 and state = $7 and since = $8 and trial_task is not distinct from $9 returning 1`,
        [...name, seen.state, seen.since, seen.trialTask],
      )
    : await tx.run(
        'breaker.make',
        `insert into ledger.breaker (source, workflow, agent_id, state, since, trial_task) values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing returning 1`,
        name,
      );
  return rows.length > 0;
}
