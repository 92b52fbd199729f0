/**
 * Whom another policy set can touch.
 * @module
 */
import type { LiveGrant, PolicySet } from '@mayfly/policy';

/** What drift looks at again when the one set takes the other's place. */
export const affectedBy =
  (_before: PolicySet | undefined, _after: PolicySet) =>
  (_live: LiveGrant, _capability: string): boolean =>
    true;
