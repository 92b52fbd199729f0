/**
 * What a sub-task may have: never more than its parent.
 * @module
 */
import type { GrantState } from './transitions.js';

/** What matters of a parent's grant. */
export interface ParentGrant {
  readonly state: GrantState;
  readonly tenant: string;
  readonly permittedCapabilities: readonly string[];
}

/** Why a sub-task's wish is refused before policy is even asked; undefined when nothing stands against it. */
export function refuseDelegation(
  parent: ParentGrant | undefined,
  tenant: string,
  capability: string,
): 'parent-not-live' | 'exceeds-parent' | undefined {
  if (parent === undefined || parent.state !== 'granted' || parent.tenant !== tenant) return 'parent-not-live';
  return parent.permittedCapabilities.includes(capability) ? undefined : 'exceeds-parent';
}
