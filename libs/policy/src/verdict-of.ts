/**
 * What Cedar's answer means.
 * @module
 */
import type { AuthorizationAnswer } from '@cedar-policy/cedar-wasm/nodejs';
import type { Decision, Reason } from './decision.js';

/** A decision without its id and what it rests on. */
export type Verdict = Pick<Decision, 'decision' | 'policies' | 'shadow'> & { readonly reason: Reason };

/** Nothing that can be relied on was decided. */
export const FAILED: Verdict = { decision: 'deny', reason: 'evaluation-error', policies: [] };

/** Reads an answer. Only a plain `allow` that names a policy and no error is a permit; everything else is a deny. */
export function verdictOf(answer: AuthorizationAnswer): Verdict {
  if (answer.type !== 'success') return FAILED;
  const { decision, diagnostics } = answer.response;
  // INVARIANT: Cedar skips a policy that errors, so a forbid that errors would vanish. Any error denies.
  if (diagnostics.errors.length > 0) return { ...FAILED, policies: diagnostics.errors.map(({ policyId }) => policyId).sort() };
  const policies = [...diagnostics.reason].sort();
  if (decision === 'allow') return policies.length > 0 ? { decision: 'permit', reason: 'policy-permits', policies } : FAILED;
  return { decision: 'deny', reason: policies.length > 0 ? 'policy-denies' : 'no-policy-permits', policies };
}
