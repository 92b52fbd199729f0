/**
 * What a decider is asked: may this task do this, now?
 * @module
 */
import type { TaskFacts } from '@mayfly/domain';

/**
 * What can be asked about a capability: `mint` a credential for it when the task starts, or `fetch`
 * one when the agent asks. Questions of other kinds (`call`, `delegate`, `breakGlass`) are declared
 * in the Cedar schema already and join here as further members of {@link DecisionQuestion}.
 */
export const ACTIONS = ['mint', 'fetch'] as const;
/** One of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number];

/** One question about one capability. */
export interface DecisionQuestion {
  readonly action: Action;
  /** Name of the capability, known or not. */
  readonly capability: string;
  readonly task: TaskFacts;
  /** When it is asked; policies may depend on it. */
  readonly at: Date;
}
