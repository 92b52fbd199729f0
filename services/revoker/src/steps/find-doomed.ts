import { endLease, transitionLease } from '@mayfly/store';
import type { Doomed } from '@mayfly/revocation';
import type { Killing } from '../killing.js';

/** Loads what there is to kill. A stuck lease is `revoking` again while it is being tried. */
export async function findDoomed(known: Killing): Promise<void> {
  const { database, ledger, clock, claim } = known;
  const found = await ledger.find(claim.grant.id);
  if (!found) throw new TypeError('a claimed grant is never deleted');
  // INVARIANT: read in one snapshot with the rest: an issuer that was through by then had written down what is read. Asked later, a token
  // that was made in between would be missed, and its grant closed.
  const { grant, credentials, leases, retiredTokens, beingMinted: issuerAtWork } = found;
  const doomed: Doomed[] = [];
  const stuckBefore = new Set(leases.filter(({ state }) => state === 'stuck').map(({ ref }) => ref));
  for (const lease of leases) {
    const credential = credentials.find(({ name }) => name === lease.name);
    if (!credential) continue;
    if (lease.state === 'revoking') doomed.push({ lease, credential });
    // Nothing may live under a grant that ends, however it came to be there.
    if (grant.state === 'closing' && (lease.state === 'active' || lease.state === 'minting')) {
      const end = {
        cause: grant.endCause ?? 'task_ended',
        drift: grant.endDrift,
        by: 'revoker',
        at: clock.now(),
        causeEventId: grant.endEventId,
      } as const;
      const ending = await database.transaction('end straggler', (tx) => endLease(tx, grant, credential, lease, end));
      if (ending) doomed.push({ lease: ending, credential });
    }
    if (lease.state === 'stuck') {
      const again = await transitionLease(database, lease.ref, 'stuck', 'revoking');
      if (again) doomed.push({ lease: again, credential });
    }
  }
  const more: Partial<Killing> = { grant, issuerAtWork, credentials, leases, retiredTokens, doomed, stuckBefore, problems: new Map() };
  Object.assign(known, more);
}
