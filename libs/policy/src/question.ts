/**
 * What a decider is asked: may this task do this, now?
 * @module
 */
import type { Initiator, Intent } from '@mayfly/domain';

/**
 * What can be asked about a capability: `mint` a credential for it when the task starts, or `fetch`
 * one when the agent asks. Questions of other kinds (`call`, `delegate`, `breakGlass`) are declared
 * in the Cedar schema already and join here as further members of {@link DecisionQuestion}.
 */
export const ACTIONS = ['mint', 'fetch'] as const;
/** One of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number];

/** What is known of a task. Every field but the intent's free text may be authority. */
export interface TaskFacts {
  readonly taskId: string;
  /** Tenant of the orchestrator's registration, never of the event. */
  readonly tenant: string;
  /** CloudEvents source of the orchestrator that started it. */
  readonly source: string;
  /** Name of the workflow. */
  readonly workflow: string;
  /** Workload identity that the task runs as. */
  readonly agent: string;
  readonly initiator?: Initiator;
  readonly intent: Intent;
  /** 0 to 100: the higher of the start's risk and every risk signal since. */
  readonly risk: number;
  readonly parentTaskId?: string;
  /** 0 for a task that no other task started. */
  readonly delegationDepth: number;
  /** 1 for the first try, where the orchestrator says so. */
  readonly attempt?: number;
}

/** One question about one capability. */
export interface DecisionQuestion {
  readonly action: Action;
  /** Name of the capability, known or not. */
  readonly capability: string;
  readonly task: TaskFacts;
  /** When it is asked; policies may depend on it. */
  readonly at: Date;
}
