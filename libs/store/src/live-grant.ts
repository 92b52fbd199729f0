/**
 * A live grant with everything that its decision rests on.
 * @module
 */
import type { Grant } from '@mayfly/grant';
import type { LiveGrant } from '@mayfly/policy';
import type { Sql } from '@mayfly/postgres';
import { credentialsOf } from './credentials.js';
import { findGrant } from './grants.js';

/** Reads what a grant asked for, and the tasks above it; as many steps as its delegation is deep. */
export async function liveGrant(sql: Sql, grant: Grant): Promise<LiveGrant> {
  return { grant, credentials: await credentialsOf(sql, grant.id), parent: await aboveOf(sql, grant) };
}

/** The task that a grant works for, where there is one. */
export async function aboveOf(sql: Sql, { parentGrantId }: Grant): Promise<LiveGrant | undefined> {
  const parent = parentGrantId && (await findGrant(sql, parentGrantId));
  return parent && liveGrant(sql, parent);
}
