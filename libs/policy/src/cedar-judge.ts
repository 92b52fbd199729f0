/**
 * Judgement by Cedar, in this process.
 * @module
 */
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { cedarRequest } from './cedar-request.js';
import type { Judge } from './decider-by.js';
import { InvalidPolicySet } from './errors.js';
import type { PolicySet } from './policy-set.js';
import { verdictOf } from './verdict-of.js';

/**
 * Parses a set's policies and schema once, under the set's digest, so that a judgement takes well under a millisecond.
 * @throws InvalidPolicySet when Cedar cannot parse what it has validated before
 */
export function cedarJudge({ digest, policies, schema }: PolicySet): Judge {
  const parsed = [preparsePolicySet(digest, { staticPolicies: { ...policies } }), preparseSchema(digest, schema)];
  if (parsed.some(({ type }) => type === 'failure')) throw new InvalidPolicySet('policy set', 'cannot be parsed by Cedar');
  return (question) =>
    verdictOf(
      statefulIsAuthorized({
        ...cedarRequest(question),
        validateRequest: true,
        preparsedSchemaName: digest,
        preparsedPolicySetId: digest,
      }),
    );
}
