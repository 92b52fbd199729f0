/**
 * What is known while a start is being admitted.
 * @module
 */
import type { Orchestrator, Policy, Workflow } from '@mayfly/policy';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Claimed, CurrentPolicy, QuotaWatch, Sql } from '@mayfly/store';
import type { TraceContext } from '@mayfly/telemetry';
import type { TaskStartedMessage, Voucher } from '@mayfly/task-events';

/** Known at the beginning, then more with every step. */
export interface Admission {
  readonly tx: Sql;
  readonly message: TaskStartedMessage;
  readonly now: Date;
  readonly policies: CurrentPolicy<Policy>;
  readonly quotas: QuotaWatch;
  /** What this installation is called in signatures. */
  readonly audience: string;
  /** The span of the start event: everything that is done for the task continues it. */
  readonly trace: TraceContext | undefined;

  policy?: Policy;
  orchestrator?: Orchestrator;
  /** Proof that the orchestrator said so; absent for one that need not sign and did not. */
  voucher?: Voucher;
  workflow?: Workflow | undefined;
  /** Why nothing of it is permitted, whatever policy says: `breaker-open`, `quota-exceeded` or `revocation-ordered`. */
  refusal?: string;
  requestDigest?: string;
  /** With the capabilities that it may have now. */
  parent?: { grant: Grant; has: readonly string[] } | undefined;
  /** A signal said that the initiator has left. */
  initiatorOffboarded?: boolean;
  deadline?: Date;
  decided?: readonly Omit<Credential, 'grantId'>[];
  grant?: Grant;
  credentials?: readonly Credential[];
  leases?: readonly Lease[];
  /** Set when there is something to mint: this process holds it for a while. */
  claim?: Claimed;
}
