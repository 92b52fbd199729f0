/**
 * Whom another policy set can touch.
 * @module
 */
import { factsOf } from '@mayfly/grant';
import { affects, whatChanged, type Affected, type LiveGrant, type PolicySet } from '@mayfly/policy';
import { readStoredSet, setsInUse, type Sql } from '@mayfly/store';

/**
 * Which live grants drift decides again when this set becomes the current one: those that its difference from the set by which they were
 * decided last can touch, and their sub-tasks.
 * @param current the set in force, which need not be read again; undefined where there is none that can be used
 */
export async function affectedBy(sql: Sql, current: PolicySet | undefined, after: PolicySet): Promise<(live: LiveGrant) => boolean> {
  const changes = new Map<string | undefined, Affected>([[after.digest, []]]);
  for (const digest of await setsInUse(sql)) {
    if (digest === after.digest) continue;
    const before = digest === current?.digest ? current : await readStoredSet(sql, digest);
    changes.set(digest, before ? whatChanged(before, after) : 'all');
  }
  const isTouched = (affected: Affected, { grant, credentials, parent }: LiveGrant): boolean => {
    const { request } = grant;
    if (!request) return true;
    const task = factsOf(grant, request);
    return (
      credentials.some(({ capability, permitted }) => permitted && affects(affected, task, capability)) ||
      (parent !== undefined && isTouched(affected, parent))
    );
  };
  return (live) => isTouched(changes.get(live.grant.policyDigest) ?? 'all', live);
}
