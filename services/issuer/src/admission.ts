/**
 * What is known while starts are being admitted: those that come at the same moment go through one transaction together.
 * @module
 */
import type { Credential, Grant, Selector } from '@mayfly/grant';
import type { Orchestrator, Policy, Workflow } from '@mayfly/policy';
import type { CurrentPolicy, MintIntent, Opening, QuotaWatch, Sql, StatedFact } from '@mayfly/store';
import type { Clock, OutEvent } from '@mayfly/domain';
import type { RejectedEvent, TaskStartedMessage, Voucher } from '@mayfly/task-events';
import type { TraceContext } from '@mayfly/telemetry';
import type { MintClaim } from './mint-book.js';

/** One transaction. Known at the beginning, then more with every step. */
export interface Round {
  readonly tx: Sql;
  readonly clock: Clock;
  /** When what holds for all of them was read, after whatever had to be waited for. */
  now: Date;
  readonly policies: CurrentPolicy<Policy>;
  readonly quotas: QuotaWatch;
  /** What this installation is called in signatures. */
  readonly audience: string;

  /** The set that is current in this transaction. */
  policy?: Policy;
  /** Kill switches that are being carried out. */
  orders?: readonly Selector[];
  /** The starts that are still on their way; what is refused as an event, or known already, leaves them. */
  admissions: readonly Admission[];
}

/** One start. */
export interface Admission {
  readonly round: Round;
  readonly message: TaskStartedMessage;
  /** The span of the start event: everything that is done for the task continues it. */
  readonly trace: TraceContext | undefined;

  /** Why the event must be parked. */
  rejected?: RejectedEvent;
  orchestrator?: Orchestrator;
  /** Proof that the orchestrator said so; absent for one that need not sign and did not. */
  voucher?: Voucher;
  workflow?: Workflow | undefined;
  requestDigest?: string;
  /** Why nothing of it is permitted, whatever policy says: `breaker-open`, `quota-exceeded` or `revocation-ordered`. */
  refusal?: string;
  /** With the capabilities that it may have now. */
  parent?: { grant: Grant; has: readonly string[] } | undefined;
  /** A signal said that the initiator has left. */
  initiatorOffboarded?: boolean;
  deadline?: Date;
  decided?: readonly Omit<Credential, 'grantId'>[];

  /** What is to be written, in this order. */
  opening?: Opening;
  grant?: Grant;
  credentials?: readonly Credential[];
  requested?: StatedFact;
  announced?: OutEvent;
  intents?: readonly MintIntent[];

  /** Set when there is something to mint: this process holds it for a while. */
  claim?: MintClaim;
}
