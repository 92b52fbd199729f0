/**
 * What a capability is made of, as every layer understands it.
 * @module
 */

/** The secrets engines that Mayfly mints with. */
export const ENGINES = ['database', 'kv', 'pki', 'ssh', 'transit'] as const;
/** One of {@link ENGINES}. */
export type Engine = (typeof ENGINES)[number];

/**
 * What ending means for a credential:
 * - `revocable`: Vault and the target can kill it at any time;
 * - `expiry-only`: it works until its validity ends, which is short; nobody can kill it earlier;
 * - `static`: the material itself never dies; only the way to it is closed.
 */
export const SHAPES = ['revocable', 'expiry-only', 'static'] as const;
/** One of {@link SHAPES}. */
export type Shape = (typeof SHAPES)[number];

/**
 * What makes up for an end that cannot be enforced, for every shape but `revocable`:
 * - `short-life`: five minutes at most;
 * - `revoked-serials`: its targets read the list of serial numbers that are over (SSH);
 * - `taint`: what a stopped task had read is handed to nobody until it is rotated (KV);
 * - `none`: nothing, on purpose.
 */
export const COMPENSATIONS = ['short-life', 'revoked-serials', 'taint', 'none'] as const;
/** One of {@link COMPENSATIONS}. */
export type Compensation = (typeof COMPENSATIONS)[number];

/** What a capability or a verb of a tool does to its target. Whoever does not say so writes. */
export const ACCESSES = ['read', 'write'] as const;
/** One of {@link ACCESSES}. */
export type Access = (typeof ACCESSES)[number];

/** `on-start`: minted when the task starts. `on-fetch`: does not exist before it is asked for. */
export type MintMode = 'on-start' | 'on-fetch';

/** One entry of the catalogue: a named thing that a task may ask for. */
export interface Capability {
  readonly name: string;
  readonly engine: Engine;
  readonly shape: Shape;
  /** Absent for `revocable` ones, which need none. */
  readonly compensation?: Compensation;
  readonly mint: MintMode;
  /** Vault mount of the engine, for example `database`. */
  readonly mount: string;
  /** Role (database, pki, ssh), key name (transit) or secret path (kv) under the mount. */
  readonly role: string;
  /** Vault policy that a task token needs for it, always `cap-…`. */
  readonly vaultPolicy: string;
  readonly dataClass: string;
  /** A narrowed task loses what writes. */
  readonly access: Access;
  /** Longest life of one lease, in seconds. */
  readonly maxTtlSeconds: number;
  /** How often one task may fetch it. */
  readonly maxFetches: number;
  /** Arguments of the mint call, for example a certificate's common name. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Name of the target system in the deployment's targets file: where it is, and how it can be asked. */
  readonly target?: string;
  /** True when a revocation only counts once the target itself (or its revocation list) says that the credential is dead. */
  readonly probe: boolean;
  /** `sha256:…` of what its Vault policy and role have to be in Vault; absent where nobody compares. */
  readonly vaultDigest?: string;
  /** What follows when they are something else: no new mints and an alarm in any case, and with `revoke` the end of its live leases. */
  readonly onVaultDrift: 'alarm' | 'revoke';
}
