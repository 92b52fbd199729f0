import type { Minting } from '../minting.js';

/** A token that was created and sealed before is used again; a grant that has ended gets none. */
export async function reopenTaskToken(known: Minting): Promise<'stop' | void> {
  const { grant, vault } = known;
  if (grant.state !== 'granted') return 'stop';
  if (grant.sealedToken) known.token = await vault.open(grant.sealedToken, grant.taskId);
}
