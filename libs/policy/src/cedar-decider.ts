/**
 * Decisions by Cedar, in this process.
 * @module
 */
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { AuthorizationAnswer } from '@cedar-policy/cedar-wasm/nodejs';
import { newDecisionId } from '@mayfly/domain';
import { cedarRequest } from './cedar-request.js';
import type { Decider, Decision, Reason } from './decision.js';
import { InvalidPolicySet } from './errors.js';
import type { PolicySet } from './policy-set.js';
import type { DecisionQuestion } from './question.js';
import { refuseByRegistration } from './refuse-by-registration.js';

type Verdict = Pick<Decision, 'decision' | 'policies'> & { readonly reason: Reason };

const FAILED: Verdict = { decision: 'deny', reason: 'evaluation-error', policies: [] };

/** Decides by one policy set. A changed set is another decider. */
export class CedarDecider implements Decider {
  readonly #set: PolicySet;

  /**
   * Parses policies and schema once, under the set's digest, so that a decision takes well under a millisecond.
   * @throws InvalidPolicySet when Cedar cannot parse what it has validated before
   */
  constructor(set: PolicySet) {
    this.#set = set;
    const policies = preparsePolicySet(set.digest, { staticPolicies: { ...set.policies } });
    const schema = preparseSchema(set.digest, set.schema);
    if (policies.type === 'failure' || schema.type === 'failure') throw new InvalidPolicySet('policy set', 'cannot be parsed by Cedar');
  }

  decide(question: DecisionQuestion): Promise<Decision> {
    const { reason, ...verdict } = this.#verdict(question);
    return Promise.resolve({ id: newDecisionId(), ...verdict, reasons: [reason], policyDigest: this.#set.digest });
  }

  #verdict(question: DecisionQuestion): Verdict {
    try {
      const registered = refuseByRegistration(this.#set, question);
      if ('refused' in registered) return { decision: 'deny', reason: registered.refused, policies: [] };
      const request = cedarRequest(question, registered.agent, registered.capability);
      const { digest } = this.#set;
      return verdictOf(
        statefulIsAuthorized({ ...request, validateRequest: true, preparsedSchemaName: digest, preparsedPolicySetId: digest }),
      );
    } catch {
      return FAILED;
    }
  }
}

function verdictOf(answer: AuthorizationAnswer): Verdict {
  if (answer.type === 'failure') return FAILED;
  const { decision, diagnostics } = answer.response;
  // INVARIANT: Cedar skips a policy that errors, so a forbid that errors would vanish. Any error denies.
  if (diagnostics.errors.length > 0) return { ...FAILED, policies: diagnostics.errors.map(({ policyId }) => policyId).sort() };
  const policies = [...diagnostics.reason].sort();
  if (decision === 'allow') return { decision: 'permit', reason: 'policy-permits', policies };
  return { decision: 'deny', reason: policies.length > 0 ? 'policy-denies' : 'no-policy-permits', policies };
}
