import type { SecretRevoker } from '@mayfly/revocation';

/**
 * Ends a token with everything that hangs on it, and looks whether it is gone.
 * @returns what Vault said, when that proves it; undefined when it is still known
 * @throws VaultUnavailable, or MayflyError `revoke-failed`
 */
export async function proveTokenGone(revoker: SecretRevoker, accessor: string): Promise<string | undefined> {
  if ((await revoker.revokeToken(accessor)) === 'unusable') return 'vault: token not found';
  return (await revoker.isTokenGone(accessor)) ? 'vault: invalid accessor' : undefined;
}
