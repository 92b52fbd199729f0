/**
 * A breaker stops the tasks of a workflow that crash again and again from being started: each of them would mint and end credentials for
 * nothing. The rule is pure; what it looks at is the ledger's.
 *
 *     closed ──enough failures──▶ open ──its time is over──▶ half_open: one task may try
 *       ▲                          ▲                            │
 *       └──────── it succeeded ────┼────────── it failed ───────┘
 * @module
 */
import { plusSeconds, type Cause, type TaskOutcome } from '@mayfly/domain';
import type { Grant } from './records.js';

/** When a workflow's breaker opens, and for how long. */
export interface BreakerRule {
  /** So many failures … */
  readonly failures: number;
  /** … within so many seconds open it … */
  readonly withinSeconds: number;
  /** … for so many seconds. */
  readonly openForSeconds: number;
}

/** Where a breaker stands. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** What is known when a task shall start. */
export interface BreakerFacts {
  readonly now: Date;
  /** Undefined: it was never open. */
  readonly breaker?: { readonly state: BreakerState; readonly since: Date } | undefined;
  /** When the latest tasks failed, newest first; as many as the rule counts. */
  readonly failures: readonly Date[];
  /** The grant of the one task that may try; undefined when it has none. */
  readonly trial?: Pick<Grant, 'state' | 'endCause' | 'endOutcome'> | undefined;
}

/** Whether the task may start, and where the breaker goes first; undefined: it stays. */
export interface BreakerVerdict {
  readonly admit: boolean;
  readonly go?: BreakerState;
}

/** Whether an end was a failure: the orchestrator says so, or the task fell silent. */
export const isFailure = (outcome: TaskOutcome | undefined, cause: Cause | undefined): boolean =>
  outcome === 'failed' || outcome === 'timed_out' || cause === 'lost_heartbeat';

/** Judges a start. */
export function judgeBreaker(rule: BreakerRule, { now, breaker, failures, trial }: BreakerFacts): BreakerVerdict {
  if (breaker?.state === 'open') {
    return now < plusSeconds(breaker.since, rule.openForSeconds) ? { admit: false } : { admit: true, go: 'half_open' };
  }
  if (breaker?.state === 'half_open') {
    if (trial && isFailure(trial.endOutcome, trial.endCause)) return { admit: false, go: 'open' };
    if (trial?.endOutcome === 'succeeded') return { admit: true, go: 'closed' };
    if (trial && trial.state !== 'closing' && trial.state !== 'closed' && trial.state !== 'denied') return { admit: false };
    // It ended without telling anything, for example because an operator ended it: the next one tries.
    return { admit: true, go: 'half_open' };
  }
  // What failed before it was closed is forgotten.
  const windowStart = plusSeconds(now, -rule.withinSeconds);
  const counted = failures.filter((at) => at > windowStart && (!breaker || at > breaker.since));
  return counted.length >= rule.failures ? { admit: false, go: 'open' } : { admit: true };
}
