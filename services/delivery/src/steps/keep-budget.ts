import { Denied, MayflyError, newDecisionId } from '@mayfly/domain';
import { nextStep, type Grant } from '@mayfly/grant';
import { countMints, lockUsage, saveUsage, type Sql } from '@mayfly/store';
import { climb } from '../access/climb.js';
import type { Fetch } from '../fetch.js';
import { workflowOf } from '../workflow-of.js';
import { stateDenial } from './decide-again.js';

/** One mint more would be more than the task's workflow gives it; what was written for this fetch is undone. */
export class OverBudget extends MayflyError {
  constructor() {
    super('over-budget', 'the task has minted as many credentials as its workflow allows', 403, false);
  }
}

/** @throws OverBudget. Call it under the grant's lock, so that nobody mints the last one twice */
export async function keepBudget(tx: Sql, { policySet }: Fetch, grant: Grant): Promise<void> {
  const most = workflowOf(policySet, grant)?.budgets?.mints;
  if (most !== undefined && (await countMints(tx, grant.id)) >= most) throw new OverBudget();
}

/** A mint over the budget is a denial like a call over it: evidence, and a count that may lead up the ladder. Always throws. */
export async function refuseOverBudget(known: Fetch): Promise<never> {
  const { on, grant, decision, policySet } = known;
  if (!grant || !decision) throw new TypeError('a mint is over budget only after it was decided');
  const ruling = { ...decision, id: newDecisionId(), reasons: ['over-budget'], policies: [] };
  await stateDenial(known, ruling);
  await on.database.transaction('count refusal', async (tx) => {
    const used = (await lockUsage(tx, [grant.id])).get(grant.id)!;
    const refused = used.refused + 1;
    await saveUsage(tx, grant.id, { ...used, refused });
    const to = nextStep(workflowOf(policySet, grant)?.behaviour, grant.behaviour, refused);
    if (to) await climb(tx, { grant, decisionId: ruling.id }, { to, refused, at: on.clock.now() });
  });
  throw new Denied(ruling.id);
}
