import { failpoint } from '@mayfly/failpoints';
import { ATTRIBUTES, SPANS, withSpan } from '@mayfly/telemetry';
import { announceTask, findGrant, keepTaskToken } from '@mayfly/store';
import type { Minting } from '../minting.js';

/**
 * Creates the task's one token: only the policies of what was permitted, dead at the deadline by Vault's own clock. A sub-task's token
 * is made with its parent's, so that Vault itself refuses it anything that the parent lacks.
 */
export async function createTaskToken(known: Minting): Promise<'stop' | void> {
  const { database, clock, vault, grant, credentials } = known;
  if (known.token || !grant.deadline) return;
  if (!(await known.hold())) return 'stop';
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
  failpoint('C7');
  const state = await database.transaction('keep task token', async (tx) => {
    const kept = await keepTaskToken(tx, grant.id, created);
    if (kept) await announceTask(tx, grant.taskId);
    return kept;
  });
  // A paused process that comes back finds another's token kept, or the grant over: its own must not live.
  if (!state) await vault.discardToken(created.token);
  // A grant that ended while the token was made has it written down all the same, so that the revoker finds and kills it.
  if (state !== 'granted') return 'stop';
  known.token = created.token;
}
