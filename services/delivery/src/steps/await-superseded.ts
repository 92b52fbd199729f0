import { NotReady } from '@mayfly/domain';
import { findLease, transitionLease } from '@mayfly/store';
import type { Fetch } from '../fetch.js';

/** How long a fetch waits for the earlier copy to be proven dead, in milliseconds. */
const PATIENCE_MILLISECONDS = 8_000;

/** INVARIANT: never two live copies. What nobody can kill earlier (`expiry-only`) is not waited for; its short life is its limit. */
export async function awaitSuperseded({ on, grant, credential, lease, superseded }: Fetch): Promise<void> {
  if (!superseded || !grant || !lease || credential?.spec?.shape !== 'revocable') return;
  const dead = await on.changes.until(grant.taskId, PATIENCE_MILLISECONDS, async () => {
    const now = await findLease(on.database, superseded.ref);
    return now?.state === 'revoked' ? true : undefined;
  });
  if (dead) return;
  await transitionLease(on.database, lease.ref, 'minting', 'failed', { lastProblem: 'earlier-copy-lives' });
  throw new NotReady('the earlier copy of this credential is still being revoked; ask again', 5);
}
