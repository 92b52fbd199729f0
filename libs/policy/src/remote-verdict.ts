/**
 * What the answer of a decider elsewhere means.
 * @module
 */
import { FAILED, type Verdict } from './verdict-of.js';

/** Whoever decides did not answer, or not in a way that can be relied on. */
export const UNAVAILABLE: Verdict = { decision: 'deny', reason: 'pdp-unavailable', policies: [] };

const MAX_POLICIES = 64;
const POLICY_NAME = /^[\x21-\x7e]{1,128}$/;

/**
 * Reads an AuthZEN answer, `{ "decision": boolean, "context"?: { … } }`. Only `true` is a permit, and only without obligations: Mayfly
 * fulfils none, and each of them is mandatory. `context.policies` may name what determined it.
 */
export function remoteVerdict(answer: unknown): Verdict {
  if (!isObject(answer) || typeof answer['decision'] !== 'boolean') return FAILED;
  const { decision, context = {} } = answer;
  if (!isObject(context)) return FAILED;
  const policies = policiesOf(context['policies']);
  if (!decision) return { decision: 'deny', reason: policies.length > 0 ? 'policy-denies' : 'no-policy-permits', policies };
  return isNothing(context['obligations']) ? { decision: 'permit', reason: 'policy-permits', policies } : { ...FAILED, policies };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isNothing = (obligations: unknown): boolean =>
  obligations === undefined || obligations === null || (Array.isArray(obligations) && obligations.length === 0);

/** Names only: what is said elsewhere goes into evidence and logs. */
function policiesOf(said: unknown): string[] {
  if (!Array.isArray(said)) return [];
  return said
    .filter((name): name is string => typeof name === 'string' && POLICY_NAME.test(name))
    .slice(0, MAX_POLICIES)
    .sort();
}
