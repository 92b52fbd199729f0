/**
 * What policies in shadow mode would have made of a decision.
 * @module
 */
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarRequest } from './cedar-request.js';
import type { Shadow } from './decision.js';
import { InvalidPolicySet } from './errors.js';
import type { PolicySet } from './policy-set.js';
import type { Verdict } from './verdict-of.js';

/** Gives one entry for each shadow policy that applies to a request, or fails on it; the verdict is what holds without them. */
export type ShadowOf = (request: CedarRequest, verdict: Verdict) => readonly Shadow[];

/**
 * Parses a set's shadow policies once. Permits and forbids are asked apart: of both together Cedar would name the forbids only.
 * @throws InvalidPolicySet when Cedar cannot parse what it has validated before
 */
export function cedarShadow({ digest, shadowPolicies }: PolicySet): ShadowOf {
  const asked = (['permit', 'forbid'] as const).flatMap((effect) => {
    const staticPolicies = { ...shadowPolicies[effect] };
    if (Object.keys(staticPolicies).length === 0) return [];
    const name = `${digest} ${effect} in shadow`;
    if (preparsePolicySet(name, { staticPolicies }).type === 'failure')
      throw new InvalidPolicySet('policy set', 'cannot be parsed by Cedar');
    return [{ effect, name }];
  });
  const shadowOf: ShadowOf = (request, verdict) => {
    const open = verdict.decision === 'permit' || verdict.reason === 'no-policy-permits';
    return asked.flatMap(({ effect, name }): Shadow[] => {
      const answer = statefulIsAuthorized({ ...request, validateRequest: false, preparsedSchemaName: digest, preparsedPolicySetId: name });
      if (answer.type !== 'success') return [];
      const { reason, errors } = answer.response.diagnostics;
      const applied = reason.map((policy): Shadow => ({ policy, would: effect === 'permit' && open ? 'permit' : 'deny' }));
      // Whatever fails denies, once it is in force.
      const failed = errors.map(({ policyId }): Shadow => ({ policy: policyId, would: 'deny' }));
      return [...applied, ...failed].sort((a, b) => (a.policy < b.policy ? -1 : 1));
    });
  };
  return (request, verdict) => {
    try {
      return shadowOf(request, verdict);
    } catch {
      return []; // what is only tried out never decides, not even by failing
    }
  };
}
