/**
 * Whom another policy set can touch.
 * @module
 */
import { factsOf } from '@mayfly/grant';
import { affects, whatChanged, type LiveGrant, type PolicySet } from '@mayfly/policy';

/**
 * Which live grants drift decides again when the one set takes the other's place: those that a change can touch, and their sub-tasks.
 * What rests on yet another set is decided again anyway.
 */
export function affectedBy(before: PolicySet | undefined, after: PolicySet): (live: LiveGrant) => boolean {
  const affected = before ? whatChanged(before, after) : 'all';
  const isTouched = ({ grant, credentials, parent }: LiveGrant): boolean => {
    const { request } = grant;
    if (!request || grant.policyDigest !== before?.digest) return true;
    const task = factsOf(grant, request);
    return (
      credentials.some(({ capability, permitted }) => permitted && affects(affected, task, capability)) ||
      (parent !== undefined && isTouched(parent))
    );
  };
  return isTouched;
}
