/**
 * Decisions by Cedar, in this process.
 * @module
 */
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { newDecisionId } from '@mayfly/domain';
import { cedarRequest } from './cedar-request.js';
import type { Decider, Decision } from './decision.js';
import { InvalidPolicySet } from './errors.js';
import type { PolicySet } from './policy-set.js';
import type { DecisionQuestion } from './question.js';
import { refuseByRegistration } from './refuse-by-registration.js';
import { FAILED, verdictOf, type Verdict } from './verdict-of.js';

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
