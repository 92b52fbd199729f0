/**
 * What killing needs from a secrets engine and from a target.
 * @module
 */
import type { Capability, GrantId } from '@mayfly/domain';

/**
 * What Vault says of a token that shall end. `asked`: look whether it is gone. `unusable`: it knows the accessor, but accepts no token under
 * it; that is what an interrupted revocation leaves, and a look-up of the accessor then never says that it is gone.
 */
export type TokenAnswer = 'asked' | 'unusable';

/** Ends things in Vault and looks whether they are gone. It can create and read nothing. */
export interface SecretRevoker {
  /** Revokes one lease and waits for it (`sync: true`). Idempotent: an unknown lease is no error. @throws VaultUnavailable, or MayflyError `revoke-failed` */
  revokeLease(vaultLeaseId: string): Promise<void>;
  /** True only when Vault answers "invalid lease"; any other refusal is not proof. @throws VaultUnavailable */
  isLeaseGone(vaultLeaseId: string): Promise<boolean>;
  /** Revokes a token and everything that hangs on it. Idempotent. @throws VaultUnavailable, or MayflyError `revoke-failed` */
  revokeToken(accessor: string): Promise<TokenAnswer>;
  /** True only when Vault answers "invalid accessor". @throws VaultUnavailable */
  isTokenGone(accessor: string): Promise<boolean>;
  /** Revokes a certificate that has no lease (any more). Idempotent. @throws VaultUnavailable, or MayflyError `revoke-failed` */
  revokeCertificate(mount: string, serialNumber: string): Promise<void>;
  /** True when the serial number of a certificate is on its mount's revocation list. @throws VaultUnavailable */
  isCertificateRevoked(mount: string, serialNumber: string): Promise<boolean>;
}

/** What exists in Vault, whether the ledger knows it or not. It can end nothing. All throw VaultUnavailable. */
export interface VaultInventory {
  /** Accessors of all tokens. */
  tokens(): Promise<string[]>;
  /** The grant of a task's token; undefined for any other token, and for one that is gone. */
  grantOfToken(accessor: string): Promise<GrantId | undefined>;
  /** Ids of all leases that were minted by a capability's role. */
  leases(capability: Capability): Promise<string[]>;
  /** Serial numbers of all certificates that a mount remembers. */
  certificates(mount: string): Promise<string[]>;
  /** Whether a certificate still counts: undefined when it is over, revoked, unknown, or none that the capability's role issues. */
  liveCertificate(capability: Capability, serialNumber: string): Promise<{ readonly expiresAt: Date } | undefined>;
  /** How many leases Vault has given up on; it tries them once a day. */
  irrevocableLeases(): Promise<number>;
}

/** What things are in Vault, without the power to change or use them. */
export interface VaultConfiguration {
  /**
   * RFC 8785 digest of what a capability is made of in Vault: the text of its policy, and the configuration of its role, key or path without
   * what changes by itself. Undefined when one of them is not there. @throws VaultUnavailable, or MayflyError `inventory-refused`
   */
  digest(capability: Capability): Promise<string | undefined>;
}

/** Whether there can be anything new in Vault, at next to no cost: without a token, and without its store being read. */
export interface VaultMarks {
  /** The same twice: nothing of what Vault stores was written in between. Undefined where that cannot be told, whatever the reason. */
  mark(): Promise<string | undefined>;
}

/** What a target says about one principal. */
export interface ProbeResult {
  /** True when the target would refuse it and no session of it is open. */
  readonly dead: boolean;
  /** What was looked at, for the proof: for example `login role absent, 0 open sessions`. Nothing secret. */
  readonly checked: string;
}

/** What to ask a target about. */
export interface ProbeSubject {
  readonly capability: Capability;
  /** What the target calls the credential; undefined when nobody lived to write it down. */
  readonly principal?: string | undefined;
  /** Every principal carries the id of its grant, so that even an unknown one can be found. */
  readonly grantId: GrantId;
}

/** Ends principals at the target itself, past the secrets engine, which may be away or may have forgotten them. */
export interface TargetQuarantine {
  /** Names of the targets that it reaches. For any other, nothing can be done and nothing is. */
  readonly targets: readonly string[];
  /** What exists at a target and carries the grant's id. @throws MayflyError `target-unavailable` */
  principals(target: string, grantId: GrantId): Promise<string[]>;
  /**
   * No new login, then no open session. Idempotent; a principal that does not exist is no error.
   * @param forgotten true when the secrets engine knows nothing of it any more, so that nobody else will ever remove it: it is removed too
   * @throws MayflyError `target-unavailable`
   */
  quarantine(target: string, principal: string, forgotten: boolean): Promise<void>;
}

/** Asks the target itself. */
export interface TargetProbe {
  /** Without a principal, dead means: no principal at all that carries the grant's id. @throws MayflyError `target-unavailable` when the target cannot be asked */
  probe(subject: ProbeSubject): Promise<ProbeResult>;
}

/** Everything that killing works with. */
export interface Killers {
  readonly revoker: SecretRevoker;
  readonly probe: TargetProbe;
  readonly quarantine: TargetQuarantine;
  /**
   * Until when it is settled what came of every mint by a capability's role: each lease that began before is named by the ledger, or gone.
   * Undefined while nobody knows.
   */
  readonly settledUntil: (capability: Capability) => Date | undefined;
}
