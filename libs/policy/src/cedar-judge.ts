/**
 * Judgement by Cedar, in this process.
 * @module
 */
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { cedarRequest } from './cedar-request.js';
import { cedarShadow } from './cedar-shadow.js';
import type { Judge } from './decider-by.js';
import { InvalidPolicySet } from './errors.js';
import type { PolicySet } from './policy-set.js';
import { verdictOf } from './verdict-of.js';

/**
 * Parses a set's policies and schema once, under the set's digest, so that a judgement takes well under a millisecond.
 * @throws InvalidPolicySet when Cedar cannot parse what it has validated before
 */
export function cedarJudge(set: PolicySet): Judge {
  const { digest } = set;
  const parsed = [preparsePolicySet(digest, { staticPolicies: { ...set.policies } }), preparseSchema(digest, set.schema)];
  if (parsed.some(({ type }) => type === 'failure')) throw new InvalidPolicySet('policy set', 'cannot be parsed by Cedar');
  const shadowOf = cedarShadow(set);
  return (question) => {
    const request = cedarRequest(question);
    const verdict = verdictOf(
      statefulIsAuthorized({ ...request, validateRequest: true, preparsedSchemaName: digest, preparsedPolicySetId: digest }),
    );
    const shadow = shadowOf(request, verdict);
    return shadow.length > 0 ? { ...verdict, shadow } : verdict;
  };
}
