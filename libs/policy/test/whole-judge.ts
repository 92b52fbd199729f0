/** Judgement by plain Cedar: all policies, all words, against the schema. What is left out elsewhere must never make a difference to this. */
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { Judge, PolicySet } from '@mayfly/policy';
import { cedarRequest } from '../src/cedar-request.js';
import type { Shadow } from '../src/decision.js';
import { verdictOf } from '../src/verdict-of.js';

export function wholeJudge({ digest, schema, policies, shadowPolicies }: PolicySet): Judge {
  preparseSchema(digest, schema);
  const parts = { inForce: policies, ...shadowPolicies };
  for (const [part, texts] of Object.entries(parts)) preparsePolicySet(`${digest} ${part}`, { staticPolicies: { ...texts } });
  return (question) => {
    const request = cedarRequest(question);
    const answer = (part: keyof typeof parts, validateRequest: boolean) =>
      statefulIsAuthorized({ ...request, validateRequest, preparsedSchemaName: digest, preparsedPolicySetId: `${digest} ${part}` });
    const verdict = verdictOf(answer('inForce', true));
    const open = verdict.decision === 'permit' || verdict.reason === 'no-policy-permits';
    const shadow = (['permit', 'forbid'] as const).flatMap((effect) => {
      const said = answer(effect, false);
      if (said.type !== 'success') return [];
      const { reason, errors } = said.response.diagnostics;
      return [
        ...reason.map((policy): Shadow => ({ policy, would: effect === 'permit' && open ? 'permit' : 'deny' })),
        ...errors.map(({ policyId }): Shadow => ({ policy: policyId, would: 'deny' })),
      ].sort((a, b) => (a.policy < b.policy ? -1 : 1));
    });
    return shadow.length > 0 ? { ...verdict, shadow } : verdict;
  };
}
