/**
 * What a decider answers, and the port that every decider implements.
 * @module
 */
import type { DecisionId } from '@mayfly/domain';
import type { DecisionQuestion } from './question.js';

/** Why a decision is what it is. Stable codes: they are in events, evidence and operators' alerts. */
export const REASONS = [
  /** At least one policy permits it and none forbids it. */
  'policy-permits',
  /** No policy permits it: deny is the default. */
  'no-policy-permits',
  /** A policy forbids it. */
  'policy-denies',
  /** The catalogue has no such capability. */
  'unknown-capability',
  /** The catalogue's entry opens something else than when the task started. */
  'catalogue-changed',
  /** No orchestrator is registered under the event's source. */
  'unregistered-source',
  /** The orchestrator may not start this workflow. */
  'unregistered-workflow',
  /** No agent is registered under this identity. */
  'unregistered-agent',
  /** The task, its orchestrator and its agent do not belong to the same tenant. */
  'tenant-mismatch',
  /** The workflow does not list the agent. */
  'agent-not-allowed',
  /** The agent's registration is suspended. */
  'agent-suspended',
  /** The person or team that answers for the agent has left. */
  'agent-owner-gone',
  /** Whoever the task runs on behalf of has left. */
  'initiator-offboarded',
  /** The call is no step of the plan that the task declared. */
  'off-plan',
  /** The task went wrong too often and may only read. */
  'task-narrowed',
  /** The task went wrong too often and gets nothing. */
  'task-suspended',
  /** Its policy or role in Vault is not what the catalogue declares. */
  'vault-drift',
  /** A policy could not be evaluated, or the question does not fit the schema. */
  'evaluation-error',
  /** Whoever decides did not answer, or not in a way that can be relied on. */
  'pdp-unavailable',
] as const;
/** One of {@link REASONS}. */
export type Reason = (typeof REASONS)[number];

/** Permit or deny, with everything that evidence needs to explain it later. */
export interface Decision {
  readonly id: DecisionId;
  readonly decision: 'permit' | 'deny';
  /** Never empty; the first is the one to show where only one fits. */
  readonly reasons: readonly Reason[];
  /** Ids of the policies that determined it; empty where none did. */
  readonly policies: readonly string[];
  /** Digest of the policy set that it rests on. */
  readonly policyDigest: string;
  /** RFC 8785 digest of the intent that the task declared. */
  readonly intentDigest: string;
  /** What policies in shadow mode would have made of it; absent where none applied. */
  readonly shadow?: readonly Shadow[];
}

/** What one policy that is only tried out would have made of a decision, had it been in force. */
export interface Shadow {
  /** Id of the policy. */
  readonly policy: string;
  readonly would: 'permit' | 'deny';
}

/** Decides. Whatever goes wrong inside is a deny, never an exception. */
export interface Decider {
  /** Answers one question. Never rejects. */
  decide(question: DecisionQuestion): Promise<Decision>;
}
