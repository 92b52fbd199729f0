/**
 * What every decider has in common: registrations come first, and whatever goes wrong is a deny.
 * @module
 */
import { digestOf, newDecisionId, type Intent } from '@mayfly/domain';
import type { Decider, Decision } from './decision.js';
import type { PolicySet } from './policy-set.js';
import { refuseByRegistration, type KnownQuestion } from './refuse-by-registration.js';
import { FAILED, type Verdict } from './verdict-of.js';

/** Judges a question that no registration stands against. May throw: that is a deny. */
export type Judge = (question: KnownQuestion) => Verdict | Promise<Verdict>;

/** Makes a decider over a policy set's registrations; who judges is not asked about what they refuse. */
export const deciderBy = (set: PolicySet, judge: Judge): Decider => ({
  async decide(question): Promise<Decision> {
    const { reason, ...verdict } = await (async (): Promise<Verdict> => {
      const known = refuseByRegistration(set, question);
      return 'refused' in known ? { decision: 'deny', reason: known.refused, policies: [] } : judge(known);
    })().catch(() => FAILED);
    const intentDigest = digestOfIntent(question.task.intent);
    // Without an intent there is nothing to pin the decision to.
    if (intentDigest === undefined) return { ...base(set), ...FAILED_DECISION, intentDigest: NO_INTENT };
    return { ...base(set), ...verdict, reasons: [reason], intentDigest };
  },
});

const NO_INTENT = digestOf(null);
const FAILED_DECISION = { decision: FAILED.decision, reasons: [FAILED.reason], policies: FAILED.policies };
const base = ({ digest }: PolicySet) => ({ id: newDecisionId(), policyDigest: digest });

function digestOfIntent(intent: Intent): string | undefined {
  try {
    return digestOf(intent);
  } catch {
    return undefined;
  }
}
