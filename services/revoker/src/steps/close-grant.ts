import { OPEN_LEASE_STATES, grantClosed } from '@mayfly/grant';
import { announceTask, credentialsOf, emit, leasesOf, lockGrant, retiredTokens, settleRevocation, transitionGrant } from '@mayfly/store';
import type { Killing } from '../killing.js';

/**
 * Closed is for ever, and only said once the token is gone and nothing is left that could still work. INVARIANT: by what this attempt has
 * seen itself. Another replica may conclude its leases meanwhile, and an issuer that was held up may bring a token.
 */
export async function closeGrant({ database, clock, claim, grant, tokenProof, remains, next }: Killing): Promise<void> {
  if (!grant) throw new TypeError('closeGrant comes after findDoomed');
  await database.transaction('close grant', async (tx) => {
    const sameToken = (await lockGrant(tx, grant.id))?.tokenAccessor === grant.tokenAccessor;
    const proven = tokenProof !== undefined && sameToken && remains === false;
    if (grant.state === 'closing' && proven && (await retiredTokens(tx, grant.id)).length === 0) {
      const leases = await leasesOf(tx, grant.id);
      const open = leases.some((lease) => (OPEN_LEASE_STATES as readonly string[]).includes(lease.state));
      const closed = open ? undefined : await transitionGrant(tx, grant.id, 'closing', 'closed', { closedAt: clock.now() });
      if (closed) {
        await emit(
          tx,
          'revoker',
          grantClosed(closed, await credentialsOf(tx, grant.id), leases, { at: clock.now(), causationId: closed.endEventId }),
        );
        await announceTask(tx, grant.taskId);
      }
    }
    await settleRevocation(tx, claim, next ?? null);
  });
}
