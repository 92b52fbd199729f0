import { ATTRIBUTES, SPANS, withSpan } from '@mayfly/telemetry';
import { amendGrant, announceTask, findGrant } from '@mayfly/store';
import type { Minting } from '../minting.js';

/**
 * Creates the task's one token: only the policies of what was permitted, dead at the deadline by Vault's own clock. A sub-task's token
 * is made with its parent's, so that Vault itself refuses it anything that the parent lacks.
 */
export async function createTaskToken(known: Minting): Promise<'stop' | void> {
  const { database, clock, vault, grant, credentials } = known;
  if (known.token || !grant.deadline) return;
  const parent = grant.parentGrantId && (await findGrant(database, grant.parentGrantId));
  const permitted = credentials.flatMap((credential) => (credential.permitted && credential.spec ? [credential.spec.vaultPolicy] : []));
  const created = await withSpan(
    SPANS.createTaskToken,
    { attributes: { [ATTRIBUTES.taskId]: grant.taskId, [ATTRIBUTES.grantId]: grant.id } },
    async () =>
      vault.create({
        grantId: grant.id,
        taskId: grant.taskId,
        tenant: grant.tenant,
        policies: [...new Set(permitted)].sort(),
        ttlSeconds: Math.max(1, Math.floor((grant.deadline!.getTime() - clock.now().getTime()) / 1000)),
        ...(parent && parent.sealedToken && { parent: await vault.open(parent.sealedToken, parent.taskId) }),
      }),
  );
  const kept = await database.transaction('keep task token', async (tx) => {
    const live = await amendGrant(tx, grant.id, 'granted', { sealedToken: created.sealed, tokenAccessor: created.accessor });
    if (live) {
      await announceTask(tx, grant.taskId);
      return true;
    }
    // The grant ended while the token was made: it is written down all the same, so that the revoker finds and kills it.
    await amendGrant(tx, grant.id, 'closing', { sealedToken: created.sealed, tokenAccessor: created.accessor });
    return false;
  });
  if (!kept) return 'stop';
  known.token = created.token;
}
