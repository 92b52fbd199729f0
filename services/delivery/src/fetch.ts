/**
 * What is known while a secret is being fetched.
 * @module
 */
import type { Clock, Secret, SecretMaterial, TaskId } from '@mayfly/domain';
import type { Credential, Grant, Lease, SecretIssuer, TaskTokenOpener } from '@mayfly/grant';
import type { Decision, Policy, PolicySet } from '@mayfly/policy';
import type { Activation, CurrentPolicy, Database, QuotaWatch, Seen, TaskChanges } from '@mayfly/store';
import type { Targets } from '@mayfly/targets';
import type { FetchBook } from './fetch-book.js';

/** What delivering works with. */
export interface DeliveryDependencies {
  readonly database: Database;
  readonly vault: TaskTokenOpener & SecretIssuer;
  readonly policies: CurrentPolicy<Policy>;
  readonly quotas: QuotaWatch;
  readonly targets: Targets;
  readonly changes: TaskChanges;
  readonly clock: Clock;
}

/** Known at the beginning, then more with every step. */
export interface Fetch {
  readonly on: DeliveryDependencies;
  readonly book: FetchBook;
  readonly taskId: TaskId;
  readonly name: string;
  /** The workload that proved itself. */
  readonly agent: string;
  /** What the task rests on, as it was a moment ago; undefined: there is no such task. */
  readonly seen: Seen | undefined;

  grant?: Grant;
  credential?: Credential;
  decision?: Decision;
  /** The set that it rests on. */
  policySet?: PolicySet;
  /** The lease to hand out: minted at the start and not handed out yet, or an intent to be minted now. */
  lease?: Lease;
  /** The earlier copy, whose end was asked for. */
  superseded?: Lease | undefined;
  token?: Secret<string>;
  /** What was minted for this fetch and is not written down yet. */
  activation?: Activation;
  material?: SecretMaterial;
}

/** What a fetch gives. */
export interface Delivered {
  readonly taskId: TaskId;
  readonly name: string;
  readonly capability: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly expiresAt?: string;
  readonly leaseRef: string;
}
