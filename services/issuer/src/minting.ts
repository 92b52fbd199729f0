/**
 * What is known while a task's token and leases are being made.
 * @module
 */
import type { Clock, Secret } from '@mayfly/domain';
import type { Credential, Grant, Lease, SecretIssuer, TaskTokenIssuer, TaskTokenOpener } from '@mayfly/grant';
import type { Policy } from '@mayfly/policy';
import type { Claimed, CurrentPolicy, Database } from '@mayfly/store';
import type { MintBook } from './mint-book.js';

/** Known at the beginning, then more with every step. */
export interface Minting {
  readonly database: Database;
  readonly clock: Clock;
  readonly vault: TaskTokenIssuer & TaskTokenOpener & SecretIssuer;
  readonly policies: CurrentPolicy<Policy>;
  readonly grant: Grant;
  readonly credentials: readonly Credential[];
  readonly leases: readonly Lease[];

  readonly book: MintBook;
  readonly claim: Claimed;

  token?: Secret<string>;
  /** True when the claim has ended already. */
  settled?: boolean;
}
