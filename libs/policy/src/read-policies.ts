/**
 * One `.cedar` file, taken apart into its policies.
 * @module
 */
import { policySetTextToParts, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';
import { InvalidPolicySet } from './errors.js';
import { readsPurpose } from './reads-purpose.js';

const POLICY_ID = /^[a-z0-9]+([.-][a-z0-9]+)*$/;

/** One Cedar policy as it is written. */
export interface PolicyText {
  readonly id: string;
  readonly file: string;
  readonly text: string;
  readonly effect: 'permit' | 'forbid';
  /** True for a policy that is only tried out. */
  readonly shadow: boolean;
}

/**
 * Reads the policies of a file. Each says its `@id`; one with `@mode("shadow")` is tried out and decides nothing.
 * @throws InvalidPolicySet
 */
export function readPolicies(file: string, text: string): PolicyText[] {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') throw new InvalidPolicySet(file, sentence(parts.errors));
  if (parts.policy_templates.length > 0) throw new InvalidPolicySet(file, 'templates are not supported; write each policy out');
  return parts.policies.map((policy) => {
    const json = policyToJson(policy);
    const id = json.type === 'success' ? json.json.annotations?.['id'] : undefined;
    if (json.type !== 'success' || id === undefined || !POLICY_ID.test(id)) {
      throw new InvalidPolicySet(file, 'every policy needs an @id of lower-case letters and digits with dots or hyphens between');
    }
    const { annotations, effect } = json.json;
    const mode = annotations && 'mode' in annotations ? annotations['mode'] : 'enforce';
    // A misspelt mode would put a policy in force that was meant to be tried out, or the other way round.
    if (mode !== 'enforce' && mode !== 'shadow') throw new InvalidPolicySet(file, `@id("${id}"): @mode is "enforce" or "shadow"`);
    // INVARIANT: free text is never authority: whoever writes the purpose could otherwise write the permit.
    if (effect === 'permit' && readsPurpose(json.json)) {
      throw new InvalidPolicySet(file, `@id("${id}"): a permit must not rest on context.purpose, which is free text; forbid by it instead`);
    }
    return { id, file, text: policy, effect, shadow: mode === 'shadow' };
  });
}

/** What Cedar says is wrong, on one line. */
export function sentence(errors: readonly DetailedError[]): string {
  const [error] = errors;
  const expected = error?.sourceLocations?.[0]?.label;
  return [error?.message ?? 'not valid Cedar', expected, error?.help].filter(Boolean).join('; ');
}
