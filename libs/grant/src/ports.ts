/**
 * What minting needs from a secrets engine. Issuing and revoking are two ports on purpose: no process holds both.
 * @module
 */
import type { Capability, GrantId, LeaseRef, Secret, SecretMaterial, TaskId } from '@mayfly/domain';

/** What a task token may be and whose it is. */
export interface TaskTokenRequest {
  readonly grantId: GrantId;
  readonly taskId: TaskId;
  readonly tenant: string;
  /** Vault policies of the permitted capabilities, each `cap-…`. */
  readonly policies: readonly string[];
  /** Explicit maximum life in seconds: Vault itself ends everything then, even if all of Mayfly is dead. */
  readonly ttlSeconds: number;
  /** The parent task's token: a sub-task's token is its child, so that it can only get less and dies with it. */
  readonly parent?: Secret<string>;
}

/** A task's own Vault token. */
export interface TaskToken {
  readonly token: Secret<string>;
  /** Acts as a capability: store it, never show it. */
  readonly accessor: string;
  /** The token encrypted by Vault's transit engine with the task id as context; the only form that is stored. */
  readonly sealed: string;
  readonly expiresAt: Date;
}

/** Creates task tokens. */
export interface TaskTokenIssuer {
  /**
   * Creates one token, checks that it has exactly what was asked for, and seals it.
   * @throws VaultUnavailable when Vault cannot be reached; anything that Vault says beside a clean success is a failure
   */
  create(request: TaskTokenRequest): Promise<TaskToken>;
  /** Ends a token that will not be used, as well as it can: if that fails nobody has it, and it runs out at its deadline. Never rejects. */
  discardToken(token: Secret<string>): Promise<void>;
}

/** Opens sealed task tokens. */
export interface TaskTokenOpener {
  /** @throws VaultUnavailable */
  open(sealed: string, taskId: TaskId): Promise<Secret<string>>;
}

/** How one lease shall be minted. */
export interface MintRequest {
  readonly leaseRef: LeaseRef;
  readonly capability: Capability;
  /** Wanted life in seconds; an engine that cannot take a wish uses its role's. */
  readonly ttlSeconds: number;
  /** The task's token: every lease hangs on it. */
  readonly token: Secret<string>;
}

/** What was minted. */
export interface Minted {
  /** In the shape that the engine promises (public contract, section 6), without the target's connection data. */
  readonly material: SecretMaterial;
  /** Vault's lease id; absent where the engine has no leases. Acts as a capability: store it, never show it. */
  readonly vaultLeaseId?: string;
  /** What the target calls it: database user, certificate or SSH serial number. */
  readonly principal?: string;
  /** When the credential ends by itself; absent for static material. */
  readonly expiresAt?: Date;
}

/** Mints with a task's token, and keeps material where only that token reaches it (the token's cubbyhole). */
export interface SecretIssuer {
  /** @throws VaultUnavailable, or MayflyError `mint-refused` when Vault says no */
  mint(request: MintRequest): Promise<Minted>;
  /** Ends a copy that must not exist, as well as it can: if that fails it still hangs on the task's token. Never rejects. */
  discard(token: Secret<string>, minted: Minted): Promise<void>;
  /** Puts minted material aside until it is fetched; it dies with the token. */
  keep(token: Secret<string>, leaseRef: LeaseRef, material: SecretMaterial): Promise<void>;
  /** Puts it aside with another token too, where it was put aside with the first; what is not there is no error. */
  copy(from: Secret<string>, to: Secret<string>, leaseRef: LeaseRef): Promise<void>;
  /** Takes it out again; undefined when there is none. */
  take(token: Secret<string>, leaseRef: LeaseRef): Promise<SecretMaterial | undefined>;
}
