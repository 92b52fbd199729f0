/**
 * What is known while a task's token and leases are being made.
 * @module
 */
import type { Clock, Secret } from '@mayfly/domain';
import type { Credential, Grant, Lease, SecretIssuer, TaskTokenIssuer, TaskTokenOpener } from '@mayfly/grant';
import type { Policy } from '@mayfly/policy';
import type { CurrentPolicy, Database } from '@mayfly/store';

/** Known at the beginning, then more with every step. */
export interface Minting {
  readonly database: Database;
  readonly clock: Clock;
  readonly vault: TaskTokenIssuer & TaskTokenOpener & SecretIssuer;
  readonly policies: CurrentPolicy<Policy>;
  readonly grant: Grant;
  readonly credentials: readonly Credential[];
  readonly leases: readonly Lease[];

  /** Keeps the minting for this process a while longer; false when another one has it by now, and nothing more may be done. */
  readonly hold: () => Promise<boolean>;

  token?: Secret<string>;
}
