import { NotReady } from '@mayfly/domain';
import type { Fetch } from '../fetch.js';

/** Only Vault can open the task's token, and only for this task's id. */
export async function openToken(known: Fetch): Promise<void> {
  const { on, grant } = known;
  if (!grant?.sealedToken) throw new NotReady();
  known.token = await on.vault.open(grant.sealedToken, grant.taskId);
}
