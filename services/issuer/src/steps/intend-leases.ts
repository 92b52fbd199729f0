import { failpoint } from '@mayfly/failpoints';
import { holdMint, intendMint, leasesOf } from '@mayfly/store';
import type { Admission } from '../admission.js';

/**
 * How long this process keeps a task's minting for itself before another may take it over, in seconds. Asked for anew before each step
 * that calls Vault. A slow one may be overtaken all the same: what it made then loses the compare-and-set, and is discarded.
 */
export const MINT_HOLD_SECONDS = 15;

/** What will be minted at the start is written down now; this process holds its minting for a while. */
export async function intendLeases(known: Admission): Promise<void> {
  const { tx, now, grant, credentials, workflow } = known;
  if (!grant || !credentials) throw new TypeError('intendLeases comes after openGrant');
  if (grant.state !== 'granted') return;
  failpoint('C5');
  const wanted = credentials.filter(({ permitted, spec }) => permitted && spec?.mint === 'on-start');
  // What its workflow's budget has no room for is not minted; a fetch of it is denied.
  for (const credential of wanted.slice(0, workflow?.budgets?.mints)) await intendMint(tx, grant, credential, 'issuer', now);
  known.leases = await leasesOf(tx, grant.id);
  known.claim = await holdMint(tx, grant, now, MINT_HOLD_SECONDS);
}
