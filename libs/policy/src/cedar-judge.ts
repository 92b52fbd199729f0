/**
 * Judgement by Cedar, in this process.
 * @module
 */
import { ApplicablePolicies } from './applicable-policies.js';
import { ask, parseSchema } from './cedar-engine.js';
import { cedarRequest } from './cedar-request.js';
import { cedarShadow } from './cedar-shadow.js';
import type { Judge } from './decider-by.js';
import { hasPlainForm } from './has-plain-form.js';
import type { PolicySet } from './policy-set.js';
import { verdictOf } from './verdict-of.js';

/**
 * Judges by a set's policies, however many there are: Cedar is asked those that can apply, parsed once, so that a judgement takes well under
 * a millisecond.
 * @throws InvalidPolicySet when Cedar cannot parse what it has validated before
 */
export function cedarJudge(set: PolicySet): Judge {
  const schema = parseSchema(set.schema);
  const policies = new ApplicablePolicies(set.policies);
  const shadowOf = cedarShadow(set, schema);
  return (question) => {
    const request = cedarRequest(question);
    const plain = hasPlainForm(question);
    const verdict = verdictOf(ask(schema, policies, request, plain));
    const shadow = shadowOf(request, plain, verdict);
    return shadow.length > 0 ? { ...verdict, shadow } : verdict;
  };
}
