/**
 * What policies in shadow mode would have made of a decision.
 * @module
 */
import { ApplicablePolicies } from './applicable-policies.js';
import { ask, type ParsedSchema } from './cedar-engine.js';
import type { CedarRequest } from './cedar-request.js';
import type { Shadow } from './decision.js';
import type { PolicySet } from './policy-set.js';
import type { Verdict } from './verdict-of.js';

/** Gives one entry for each shadow policy that applies to a request, or fails on it; the verdict is what holds without them. */
export type ShadowOf = (request: CedarRequest, plain: boolean, verdict: Verdict) => readonly Shadow[];

/** Permits and forbids are asked apart: of both together Cedar would name the forbids only. */
export function cedarShadow({ shadowPolicies }: PolicySet, schema: ParsedSchema): ShadowOf {
  const asked = (['permit', 'forbid'] as const).flatMap((effect) => {
    const texts = shadowPolicies[effect];
    return Object.keys(texts).length === 0 ? [] : [{ effect, policies: new ApplicablePolicies(texts) }];
  });
  const shadowOf: ShadowOf = (request, plain, verdict) => {
    const open = verdict.decision === 'permit' || verdict.reason === 'no-policy-permits';
    return asked.flatMap(({ effect, policies }): Shadow[] => {
      const answer = ask(schema, policies, request, plain, false);
      if (answer.type !== 'success') return [];
      const { reason, errors } = answer.response.diagnostics;
      const applied = reason.map((policy): Shadow => ({ policy, would: effect === 'permit' && open ? 'permit' : 'deny' }));
      // Whatever fails denies, once it is in force.
      const failed = errors.map(({ policyId }): Shadow => ({ policy: policyId, would: 'deny' }));
      return [...applied, ...failed].sort((a, b) => (a.policy < b.policy ? -1 : 1));
    });
  };
  return (request, plain, verdict) => {
    try {
      return shadowOf(request, plain, verdict);
    } catch {
      return []; // what is only tried out never decides, not even by failing
    }
  };
}
