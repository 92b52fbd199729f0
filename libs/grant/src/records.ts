/**
 * The three records of the ledger, as the rules see them.
 * @module
 */
import type { Behaviour, Capability, Cause, Drift, GrantId, LeaseRef, TaskId, TaskOutcome, TaskStart } from '@mayfly/domain';
import type { GrantState, LeaseState } from './transitions.js';

/** What one task was allowed; the root of everything that ends with it. */
export interface Grant {
  readonly id: GrantId;
  readonly taskId: TaskId;
  readonly tenant: string;
  /** CloudEvents `source` of the orchestrator that started it. */
  readonly source: string;
  readonly state: GrantState;
  /** Undefined for the tombstone of an end that came before its start. */
  readonly request?: TaskStart;
  readonly requestDigest?: string;
  readonly intentDigest?: string;
  readonly agentId?: string;
  readonly risk: number;
  /** How its calls have behaved. */
  readonly behaviour: Behaviour;
  /** A signal said that the initiator has left. */
  readonly initiatorOffboarded?: boolean;
  readonly parentGrantId?: GrantId;
  /** 0 for a task that no other task started. */
  readonly delegationDepth: number;
  readonly deadline?: Date;
  readonly policyDigest?: string;
  /** Where the task's trace began; everything that is done for the task continues it. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly startEventId?: string;
  /** The task token, sealed by Vault's transit engine. */
  readonly sealedToken?: string;
  /** Acts as a capability: never shown. */
  readonly tokenAccessor?: string;
  /** Capabilities that were permitted at the start and are not any more: the token shall not open them. */
  readonly lostCapabilities?: readonly string[];
  /** Capabilities that the current token opens. */
  readonly tokenCapabilities?: readonly string[];
  readonly heartbeatAt?: Date;
  readonly heartbeatTimeoutSeconds?: number;
  readonly endCause?: Cause;
  /** What moved, where the end is a drift. */
  readonly endDrift?: Drift;
  readonly endOutcome?: TaskOutcome;
  readonly endEventId?: string;
  readonly openedAt: Date;
  readonly endRequestedAt?: Date;
  readonly closedAt?: Date;
  readonly revokeAttempts: number;
}

/** One credential that a task asked for, and what was decided about it at its start. */
export interface Credential {
  readonly grantId: GrantId;
  readonly name: string;
  readonly capability: string;
  /** The catalogue's entry as it was at the decision; undefined for a capability that is not in the catalogue. */
  readonly spec?: Capability;
  /** The orchestrator's wish, in seconds. */
  readonly ttlSeconds?: number;
  readonly permitted: boolean;
  readonly decisionId: string;
  readonly policyDigest: string;
  /** Stable codes. */
  readonly reasons: readonly string[];
  /** Ids of the policies that determined it. */
  readonly policies: readonly string[];
  readonly fetches: number;
}

/** One minted, expiring credential; never its material. */
export interface Lease {
  readonly ref: LeaseRef;
  readonly grantId: GrantId;
  readonly name: string;
  readonly state: LeaseState;
  /** Acts as a capability: never shown. */
  readonly vaultLeaseId?: string;
  readonly principal?: string;
  /** Who mints it: the issuer when the task starts, or delivery when it is fetched. */
  readonly minter: 'issuer' | 'delivery';
  readonly intendedAt: Date;
  readonly issuedAt?: Date;
  readonly expiresAt?: Date;
  readonly deliveredAt?: Date;
  readonly cause?: Cause;
  /** What moved, where the cause is a drift. */
  readonly drift?: Drift;
  readonly causeEventId?: string;
  readonly requestedAt?: Date;
  /** When it was ended at its target itself because the secrets engine could not: it works no more, and is not yet proven gone everywhere. */
  readonly quarantinedAt?: Date;
  readonly confirmedAt?: Date;
  readonly proof?: Proof;
  /** Code of what stood in the way of the last attempt to kill it. */
  readonly lastProblem?: string;
}

/** What was checked before a lease was called dead; each entry is a sentence for people, nothing secret. */
export interface Proof {
  readonly shape: Capability['shape'];
  /** What Vault answered about the lease. */
  readonly lease?: string;
  /** What Vault answered about the task's token, when that was ended too. */
  readonly token?: string;
  /** What the target answered. */
  readonly target?: string;
}
