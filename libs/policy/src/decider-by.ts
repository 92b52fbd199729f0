/**
 * What every decider has in common: registrations come first, and whatever goes wrong is a deny.
 * @module
 */
import { digestOf, newDecisionId, type DecisionId, type Intent } from '@mayfly/domain';
import type { Decider, Decision, Reason } from './decision.js';
import type { PolicySet } from './policy-set.js';
import type { DecisionQuestion } from './question.js';
import { refuseByRegistration, type KnownQuestion } from './refuse-by-registration.js';
import { FAILED, type Verdict } from './verdict-of.js';

/** Judges a question that no registration stands against; the id is that of the decision to be. May throw: that is a deny. */
export type Judge = (question: KnownQuestion, id: DecisionId) => Verdict | Promise<Verdict>;

/** Makes a decider over a policy set's registrations; who judges is not asked about what they refuse. */
export const deciderBy = (set: PolicySet, judge: Judge): Decider => ({
  async decide(question): Promise<Decision> {
    const id = newDecisionId();
    const intentDigest = digestOfIntent(question.task.intent);
    // Without an intent there is nothing to pin the decision to.
    const { reason, ...verdict } = intentDigest === undefined ? FAILED : await verdictOn(set, question, judge, id);
    return { id, ...verdict, reasons: [reason], policyDigest: set.digest, intentDigest: intentDigest ?? NO_INTENT };
  },
});

const NO_INTENT = digestOf(null);
const refusal = (reason: Reason): Verdict => ({ decision: 'deny', reason, policies: [] });

async function verdictOn(set: PolicySet, question: DecisionQuestion, judge: Judge, id: DecisionId): Promise<Verdict> {
  try {
    const known = refuseByRegistration(set, question);
    return 'refused' in known ? refusal(known.refused) : await judge(known, id);
  } catch {
    return FAILED;
  }
}

/** Many questions are about one task as it was read once, and nobody changes what was read. */
const DIGESTS = new WeakMap<Intent, string>();

function digestOfIntent(intent: Intent): string | undefined {
  try {
    const digest = DIGESTS.get(intent) ?? digestOf(intent);
    DIGESTS.set(intent, digest);
    return digest;
  } catch {
    return undefined;
  }
}
