import { Denied } from '@mayfly/domain';
import { decideGrant, type Decision, type Redecided } from '@mayfly/policy';
import { aboveOf, heedDigests, stateFact, stateShadow } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS, withSpan } from '@mayfly/telemetry';
import type { Fetch } from '../fetch.js';

const decisions = counter(METRICS.decisions);

/** The permit at the start is not enough: what holds is what is decided now. No decision is a deny. */
export async function decideAgain(known: Fetch): Promise<void> {
  const { on, seen, grant, credential } = known;
  if (!seen || !grant?.request || !credential) throw new TypeError('decideAgain comes after checkGrant');
  const at = on.clock.now();
  const { decision, parentNarrowed } = await withSpan(
    SPANS.decide,
    { attributes: { [ATTRIBUTES.capability]: credential.capability, [ATTRIBUTES.taskId]: grant.taskId } },
    async (span) => {
      const { decider, set } = heedDigests(await on.policies.of(on.database, seen.standing.policy), seen.differing);
      known.policySet = set;
      const parent = await aboveOf(on.database, grant);
      // By the very rule by which drift decides: what it would take a moment later is not given now.
      const [answer] = (await decideGrant(decider, { grant, credentials: [credential], parent }, at)) as [Redecided];
      span.set({
        [ATTRIBUTES.decision]: answer.kept ? 'permit' : 'deny',
        [ATTRIBUTES.decisionId]: answer.decision.id,
        [ATTRIBUTES.policyDigest]: answer.decision.policyDigest,
      });
      return answer;
    },
  );
  decisions.add(1, { [ATTRIBUTES.decision]: decision.decision, [ATTRIBUTES.capability]: credential.capability });
  known.decision = decision;
  const { tenant, taskId } = grant;
  await stateShadow(on.database, [{ by: 'delivery', tenant, taskId, action: 'fetch', target: credential.capability, at, decision }]);
  // INVARIANT: the intent is the one that was pinned at the start, whoever can write in the ledger.
  const pinned = decision.intentDigest === grant.intentDigest;
  if (decision.decision === 'permit' && !parentNarrowed && pinned) return;
  const reasons = !pinned ? ['intent-changed'] : parentNarrowed ? ['exceeds-parent'] : decision.reasons;
  await stateDenial(known, { ...decision, reasons });
  throw new Denied(decision.id);
}

/** Evidence of a fetch that was refused. */
export async function stateDenial(
  { on, agent, grant, credential }: Fetch,
  {
    id,
    policyDigest,
    intentDigest,
    reasons,
    policies,
  }: Pick<Decision, 'id' | 'policyDigest' | 'intentDigest' | 'policies'> & { readonly reasons: readonly string[] },
): Promise<void> {
  if (!grant || !credential) throw new TypeError('a denial comes after checkGrant');
  await stateFact(on.database, {
    kind: 'dev.mayfly.evidence.fetch-denied.v1',
    at: on.clock.now().toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: 'delivery',
    data: {
      agent,
      credential: credential.name,
      capability: credential.capability,
      decisionId: id,
      policyDigest,
      intentDigest,
      reasons,
      policies,
    },
  });
}
