/**
 * Whether a policy looks at free text.
 * @module
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { readsOfPolicy } from './reads-of-policy.js';

const FREE_TEXT = 'purpose';

/** True when a condition of the policy reads `context.purpose`, or takes the context as a whole, through which it could. */
export function readsPurpose(policy: PolicyJson): boolean {
  const { context } = readsOfPolicy(policy);
  return context === 'all' || context.has(FREE_TEXT);
}
