/**
 * What has a lease in Vault: revocable at any time, and gone once Vault knows the lease no more and the target agrees.
 * @module
 */
import type { Proof } from '@mayfly/grant';
import { mintOver } from '../mint-under-way.js';
import type { Killers } from '../ports.js';
import type { Circumstances, Doomed, Reaper, Verdict } from './reaper.js';

/** Asks where the credential is used: true when it would be refused there, with what was looked at. */
export type AskTarget = (one: Doomed, at: Circumstances) => Promise<{ readonly dead: boolean; readonly checked: string }>;

/** `revoke` and `verify` of everything that Vault leases; only the question at the target differs. */
export const leased = (killers: Killers, ask: AskTarget): Pick<Reaper, 'revoke' | 'verify'> => ({
  revoke: async ({ lease }) => {
    if (lease.vaultLeaseId) await killers.revoker.revokeLease(lease.vaultLeaseId);
  },

  verify: async (one: Doomed, at: Circumstances): Promise<Verdict> => {
    const inVault = await askVault(one, killers, at);
    if ('problem' in inVault) return { kind: 'alive', problem: inVault.problem };
    const proof: Proof = { shape: 'revocable', ...inVault, ...(at.tokenProof && { token: at.tokenProof }) };
    if (!one.credential.spec?.probe) return { kind: 'over', state: 'revoked', proof };
    const { dead, checked } = await ask(one, at);
    return dead
      ? { kind: 'over', state: 'revoked', proof: { ...proof, target: checked } }
      : { kind: 'alive', problem: 'target-still-accepts' };
  },
});

async function askVault(
  { lease, credential: { spec } }: Doomed,
  { revoker, settledUntil }: Killers,
  { tokenProof }: Circumstances,
): Promise<{ lease: string } | { problem: string }> {
  if (lease.vaultLeaseId)
    return (await revoker.isLeaseGone(lease.vaultLeaseId)) ? { lease: 'vault: invalid lease' } : { problem: 'lease-still-known' };
  // The mint was interrupted before its lease id was written down; it hung on the token.
  if (tokenProof) return { lease: 'lease id never seen; its token is gone' };
  const settled = spec && settledUntil(spec);
  return settled && settled > mintOver(lease)
    ? { lease: 'lease id never seen; vault has no lease of its role that the ledger does not name' }
    : { problem: 'lease-id-unknown' };
}
