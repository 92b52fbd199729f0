/**
 * What can go wrong with Vault, by code. No message holds anything that Vault said or was sent.
 * @module
 */
import { MayflyError } from '@mayfly/domain';

/** The refusals that callers tell apart. */
export type RefusalReason = 'invalid-lease' | 'invalid-accessor' | 'unknown-token' | 'permission-denied' | 'not-found' | 'other';

/** Vault answered no. Stays inside this lib: each port turns it into its own error. */
export class VaultRefused extends MayflyError {
  constructor(
    readonly reason: RefusalReason,
    /** The status of Vault's answer, not ours. */
    readonly vaultStatus: number,
    operation: string,
  ) {
    super('vault-refused', `the secrets engine refused \`${operation}\` with status ${vaultStatus}; its audit log says why`, 502, false);
  }
}

/** Vault would not mint exactly what was asked for. HTTP 502; trying again changes nothing. */
export class MintRefused extends MayflyError {
  constructor(what: string) {
    super('mint-refused', `the secrets engine did not mint what was asked for: ${what}`, 502, false);
  }
}

/** Vault would not revoke. Tried again until it does. */
export class RevokeFailed extends MayflyError {
  constructor(what: string) {
    super('revoke-failed', `the secrets engine did not revoke: ${what}`, 502, true);
  }
}

/** Vault would not list. The reconciler's role lacks a privilege, or the path is not what it is thought to be. */
export class InventoryRefused extends MayflyError {
  constructor(cause: VaultRefused) {
    super(
      'inventory-refused',
      'the secrets engine does not let the reconciler list what exists; check its policy',
      502,
      true,
      {},
      { cause },
    );
  }
}

/** A stored task token does not open: it is another task's, or was altered. */
export class SealBroken extends MayflyError {
  constructor() {
    super('seal-broken', 'the stored task token does not open for this task', 500, false);
  }
}

const REASONS: Readonly<Record<string, RefusalReason>> = {
  'invalid lease': 'invalid-lease',
  'invalid accessor': 'invalid-accessor',
  'token not found': 'unknown-token',
  'permission denied': 'permission-denied',
};

/**
 * Reads why Vault refused. Only a whole, known sentence counts: a longer one that contains it may mean something else.
 * Vault wraps some in "1 error occurred:" and a bullet.
 */
export function refusalReason(status: number, body: unknown): RefusalReason {
  const errors = typeof body === 'object' && body !== null && 'errors' in body && Array.isArray(body.errors) ? body.errors : [];
  if (status === 404) return 'not-found';
  if (errors.length !== 1) return status === 403 ? 'permission-denied' : 'other';
  const sentence = String(errors[0])
    .replace(/^1 error occurred:\s*\*/, '')
    .trim();
  return REASONS[sentence] ?? (status === 403 ? 'permission-denied' : 'other');
}

/** True when the error is Vault's refusal, for that reason where one is named. */
export const isRefusal = (error: unknown, reason?: RefusalReason): error is VaultRefused =>
  error instanceof VaultRefused && (reason === undefined || error.reason === reason);
