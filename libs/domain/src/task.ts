/**
 * What an orchestrator says about a task. Field meanings: the public contract, section 2.
 * @module
 */
import type { TaskId } from './ids.js';

/** One step that a task declares it will take. */
export interface PlanStep {
  readonly tool: string;
  readonly action: string;
  readonly resource: string;
  /** The one host that the tool is to reach, where the step is about one. */
  readonly host?: string;
}

/** Why the task runs and what it means to do. The free text is never authority. */
export interface Intent {
  readonly purpose: string;
  readonly dataClass?: string;
  readonly plan: readonly PlanStep[];
}

/** The human or service on whose behalf the task runs; never a source of the agent's privileges. */
export interface Initiator {
  readonly id: string;
  readonly kind: 'human' | 'service';
}

/** One named credential that a task asks for. */
export interface CredentialRequest {
  readonly name: string;
  readonly capability: string;
  /** A wish in seconds; policy and catalogue only ever shorten it. */
  readonly ttlSeconds?: number;
}

/** A task as its orchestrator declares it. Checked for form, not yet for authority. */
export interface TaskStart {
  readonly taskId: TaskId;
  readonly parentTaskId?: TaskId;
  readonly workflow: { readonly name: string; readonly version?: string };
  readonly agent: { readonly id: string };
  readonly initiator?: Initiator;
  readonly intent: Intent;
  readonly credentials: readonly CredentialRequest[];
  /** A wish: the task shall be over by then. */
  readonly deadline?: Date;
  /** 0 (harmless) to 100; 0 where the orchestrator said nothing. */
  readonly risk: number;
  /** 1 for the first try of a piece of work, 2 for the second: a retry is a task of its own. */
  readonly attempt?: number;
}

/** How a task ended, as its orchestrator says. */
export type TaskOutcome = 'succeeded' | 'failed' | 'cancelled' | 'timed_out';

/** The end of a task. */
export interface TaskEnd {
  readonly taskId: TaskId;
  readonly outcome: TaskOutcome;
  readonly reason?: string;
}

/** What every event says about itself (CloudEvents 1.0). `source` + `id` names an event once and for all. */
export interface EventEnvelope {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time?: Date;
  /** W3C trace context of the orchestrator's run. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/**
 * How far a task has gone wrong by its own calls, each step worse than the one before: `warned` loses nothing, `narrowed` may only read,
 * `suspended` gets nothing while it lasts. A task that goes on after that is ended.
 */
export const BEHAVIOURS = ['normal', 'warned', 'narrowed', 'suspended'] as const;
/** One of {@link BEHAVIOURS}. */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** A person's consent to what a task asks for. */
export interface Approval {
  /** Id of the operator who gave it. */
  readonly by: string;
  readonly at: Date;
}

/** What decisions about a task rest on. Every field but the intent's free text may be authority. */
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
  /** True when a signal said that the initiator has left; the registrations may say so too. */
  readonly initiatorOffboarded?: boolean;
  readonly intent: Intent;
  /** 0 to 100: the higher of the start's risk and every risk signal since. */
  readonly risk: number;
  readonly parentTaskId?: string;
  /** 0 for a task that no other task started. */
  readonly delegationDepth: number;
  /** 1 for the first try, where the orchestrator says so. */
  readonly attempt?: number;
  readonly behaviour: Behaviour;
  /** Absent until somebody approved: what asks for it denies. */
  readonly approval?: Approval;
}
