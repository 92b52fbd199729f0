import { newLeaseRef } from '@mayfly/domain';
import { holdMint, intendLease, leasesOf, stateFact } from '@mayfly/store';
import type { Admission } from '../admission.js';

/** How long this process keeps a task's minting for itself before another may take it over, in seconds. */
export const MINT_HOLD_SECONDS = 15;

/** INVARIANT: intent precedes effect. What will be minted at the start is written down before Vault is called. */
export async function intendLeases(known: Admission): Promise<void> {
  const { tx, now, grant, credentials } = known;
  if (!grant || !credentials) throw new TypeError('intendLeases comes after openGrant');
  if (grant.state !== 'granted') return;
  for (const { name, capability, permitted, spec } of credentials) {
    if (!permitted || spec?.mint !== 'on-start') continue;
    const ref = newLeaseRef();
    await intendLease(tx, { ref, grantId: grant.id, name, minter: 'issuer', intendedAt: now });
    await stateFact(tx, {
      kind: 'dev.mayfly.evidence.mint-intended.v1',
      at: now.toISOString(),
      tenant: grant.tenant,
      taskId: grant.taskId,
      by: 'issuer',
      data: { credential: name, capability, leaseRef: ref, policyDigest: grant.policyDigest },
    });
  }
  known.leases = await leasesOf(tx, grant.id);
  known.claim = await holdMint(tx, grant, now, MINT_HOLD_SECONDS);
}
