/**
 * What this lib has to know of a secrets engine.
 * @module
 */
import type { Capability } from '@mayfly/domain';
import type { Minted } from '@mayfly/grant';
import type { VaultCall } from '../client.js';

/** One secrets engine. To add one, see {@link file://./table.ts}. */
export interface SecretsEngine {
  /** True when every credential of it has a lease in Vault. */
  readonly leases: boolean;
  /** How the wanted life reaches it: in the minting call, by renewing the fresh lease, or not at all. */
  readonly life: 'in-call' | 'by-renewal' | 'none';
  /** The call that mints. @throws MintRefused when the capability asks for what the engine does not have */
  call(capability: Capability, ttlSeconds: number): Pick<VaultCall, 'method' | 'path' | 'values' | 'body'>;
  /** Where the configuration of what it mints with is read back. */
  configuration(capability: Capability): Configuration;
  /** Takes the credential out of an answer's data; undefined when a part is missing. */
  read(data: Readonly<Record<string, unknown>>, lease: LeaseTimes): Omit<Minted, 'vaultLeaseId'> | undefined;
}

/** A configuration in Vault, and which of its fields say nothing about what it is. */
export interface Configuration {
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
  /** Fields that change by use, time or rotation. */
  readonly volatile: readonly string[];
}

/** When and for how long Vault leased it. */
export interface LeaseTimes {
  readonly now: Date;
  readonly leaseSeconds: number;
}
