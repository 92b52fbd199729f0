/**
 * What a decider is asked: may this task do this, now?
 * @module
 */
import type { Capability, TaskFacts } from '@mayfly/domain';

/**
 * What can be asked: `mint` a credential when the task starts, `fetch` one when the agent asks, or get one past the rules in an emergency
 * (`breakGlass`); `call` a tool; `delegate` a part of the work to another agent.
 */
export const ACTIONS = ['mint', 'fetch', 'call', 'delegate', 'breakGlass'] as const;
/** One of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number];

/** One call of a tool, as it would be made now. */
export interface ToolCall {
  readonly tool: string;
  /** What the tool is to do; the `action` of a plan's step. */
  readonly verb: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly host?: string;
}

interface Asked {
  readonly task: TaskFacts;
  /** When it is asked; policies may depend on it. */
  readonly at: Date;
}

/** One question about one capability. */
export interface CapabilityQuestion extends Asked {
  readonly action: 'mint' | 'fetch' | 'breakGlass';
  /** Name of the capability, known or not. */
  readonly capability: string;
  /** The catalogue's entry as it was when the task started, once it did: a task never gets what it did not ask for under that name. */
  readonly pinned?: Capability | undefined;
}

/** One question about one call of a tool. */
export interface CallQuestion extends Asked {
  readonly action: 'call';
  readonly call: ToolCall;
}

/** One question about handing work on; the task is the one that hands on. */
export interface DelegateQuestion extends Asked {
  readonly action: 'delegate';
  /** Identity of the agent that would do the sub-task. */
  readonly to: string;
}

/** One question. */
export type DecisionQuestion = CapabilityQuestion | CallQuestion | DelegateQuestion;
