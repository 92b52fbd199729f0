/**
 * What has a lease in Vault: revocable at any time, and gone once Vault knows the lease no more and the target agrees.
 * @module
 */
import { plusSeconds, type Capability } from '@mayfly/domain';
import type { Lease, Proof } from '@mayfly/grant';
import { mintOver } from '../mint-under-way.js';
import type { Killers } from '../ports.js';
import type { Circumstances, Doomed, Reaper, Verdict } from './reaper.js';

/** What a walk has not settled by then is a problem, in seconds: twice the time in which an orphan is found. */
const WALKED_WITHIN_SECONDS = 120;
const LOOK_AGAIN_SECONDS = 5;

/** What is known where the credential is used. */
interface TargetAnswer {
  /** True when it would be refused there. */
  readonly dead: boolean;
  /** What was looked at. */
  readonly checked: string;
  /** True when nothing of the whole grant is left there, be it written down or not. */
  readonly searched?: boolean;
}
/** Asks there. */
export type AskTarget = (lease: Lease, spec: Capability, at: Circumstances) => Promise<TargetAnswer>;

/** `revoke` and `verify` of everything that Vault leases; only the question at the target differs. */
export const leased = (killers: Killers, ask: AskTarget): Pick<Reaper, 'revoke' | 'verify'> => ({
  revoke: async ({ lease }) => {
    if (lease.vaultLeaseId) await killers.revoker.revokeLease(lease.vaultLeaseId);
  },

  verify: async (one: Doomed, at: Circumstances): Promise<Verdict> => {
    const inVault = await askVault(one, killers, at);
    if ('kind' in inVault) return inVault;
    const proof: Proof = { shape: 'revocable', ...inVault, ...(at.tokenProof && { token: at.tokenProof }) };
    const { spec } = one.credential;
    if (!spec?.probe) return { kind: 'over', state: 'revoked', proof };
    const { dead, checked, searched } = await ask(one.lease, spec, at);
    return dead
      ? { kind: 'over', state: 'revoked', proof: { ...proof, target: checked }, ...(searched && { searched: spec.target }) }
      : { kind: 'alive', problem: 'target-still-accepts' };
  },
});

async function askVault(
  { lease, credential: { spec } }: Doomed,
  { revoker, settledUntil }: Killers,
  { now, tokenProof }: Circumstances,
): Promise<{ readonly lease: string } | Verdict> {
  if (lease.vaultLeaseId)
    return (await revoker.isLeaseGone(lease.vaultLeaseId))
      ? { lease: 'vault: invalid lease' }
      : { kind: 'alive', problem: 'lease-still-known' };
  // The mint was interrupted before its lease id was written down; it hung on the token.
  if (tokenProof) return { lease: 'lease id never seen; its token is gone' };
  // While its task lives, the walk over Vault's leases finds what nobody can name, ends it, and settles that nothing is left.
  const settled = spec && settledUntil(spec);
  if (settled && settled > mintOver(lease))
    return { lease: 'lease id never seen; vault has no lease of its role that the ledger does not name' };
  return now < plusSeconds(mintOver(lease), WALKED_WITHIN_SECONDS)
    ? { kind: 'later', at: plusSeconds(now, LOOK_AGAIN_SECONDS) }
    : { kind: 'alive', problem: 'lease-id-unknown' };
}
