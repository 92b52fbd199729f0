import { Denied, newDecisionId, NotReady } from '@mayfly/domain';
import { factsOf, mayUse, type Grant } from '@mayfly/grant';
import { findGrant, heedVault, lockGrant, widenToken as askForWider } from '@mayfly/store';
import type { Fetch } from '../fetch.js';
import { stateDenial } from './decide-again.js';

/**
 * What was lost and is permitted again was taken from the task's token meanwhile: it has to open it again first, and so has the token of every
 * task above, of which this one's is a child. The issuer makes it so; until then the answer is "not ready".
 * @throws NotReady; Denied when a task above may not have it (any more)
 */
export async function widenToken(known: Fetch): Promise<void> {
  const { on, grant, credential } = known;
  if (!grant || !credential) throw new TypeError('widenToken comes after decideAgain');
  const { capability } = credential;
  if (mayUse(grant, capability)) return;
  const lacking = [...(await lackingAbove(known, grant, capability)), grant];
  known.grant = await on.database.transaction('widen token', async (tx) => {
    let last: Grant | undefined;
    // Parents first, as everywhere.
    for (const { id } of lacking) {
      await lockGrant(tx, id);
      await askForWider(tx, id, capability, on.clock.now());
      last = await findGrant(tx, id);
    }
    return last!;
  });
  if (!mayUse(known.grant, capability)) throw new NotReady('the task’s token is being made anew, so that it opens this again; ask again');
}

/** The tasks above whose tokens lack it, the topmost first. */
async function lackingAbove(known: Fetch, { parentGrantId }: Grant, capability: string): Promise<Grant[]> {
  const parent = parentGrantId && (await findGrant(known.on.database, parentGrantId));
  if (!parent?.request || mayUse(parent, capability)) return [];
  const { decider } = await heedVault(known.on.database, await known.on.policies.get(known.on.database));
  const decision = await decider.decide({
    action: 'fetch',
    capability,
    task: factsOf(parent, parent.request),
    at: known.on.clock.now(),
  });
  if (parent.state !== 'granted' || decision.decision !== 'permit') {
    const refusal = { ...decision, id: newDecisionId(), reasons: ['exceeds-parent'] };
    await stateDenial(known, refusal);
    throw new Denied(refusal.id);
  }
  return [...(await lackingAbove(known, parent, capability)), parent];
}
