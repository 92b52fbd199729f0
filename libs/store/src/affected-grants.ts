/**
 * Which live grants another policy set can touch, and moving the others on without deciding them again.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import { SLICE_FIELDS, type Affected, type SliceField } from '@mayfly/policy';
import type { Grant } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';

const MATCHES: Readonly<Record<SliceField, (grant: string) => string>> = {
  agents: (grant) => `${grant}.agent_id = any(s.agents)`,
  sources: (grant) => `${grant}.source = any(s.sources)`,
  workflows: (grant) => `${grant}.workflow = any(s.workflows)`,
  tenants: (grant) => `${grant}.tenant = any(s.tenants)`,
  initiators: (grant) => `${grant}.initiator_id = any(s.initiators)`,
  capabilities: (grant) =>
    `exists (select from ledger.credential c where c.grant_id = ${grant}.id and c.permitted and c.capability = any(s.capabilities))`,
};
/** Read once, however many grants are looked at. */
const SLICES = `slice as materialized (select * from jsonb_to_recordset($2::jsonb) as s(${SLICE_FIELDS.map((field) => `${field} text[]`).join(', ')}))`;
const isIn = (grant: string): string =>
  `exists (select from slice s where ${SLICE_FIELDS.map((field) => `(s.${field} is null or ${MATCHES[field](grant)})`).join(' and ')})`;

/** A sub-task has no more than the tasks above it, so that what touches one of them touches it too. */
const AFFECTED = `(${isIn('g')} or (g.parent_grant_id is not null and exists (
  with recursive above as (
    select p.* from ledger.task_grant p where p.id = g.parent_grant_id
    union all
    select p.* from above join ledger.task_grant p on p.id = above.parent_grant_id
  ) select from above where ${isIn('above')})))`;

/** Everybody is in the slice that names nothing. */
const asSlices = (affected: Affected): string => JSON.stringify(affected === 'all' ? [{}] : affected);

/** A grant that was found, to be looked at. */
export type FoundGrant = Pick<Grant, 'id' | 'traceparent'>;

/** A policy set, other than the given one, on which live grants rest; undefined when there is none. */
export async function olderPolicyInUse(sql: Sql, current: string): Promise<string | undefined> {
  const [row] = await sql.run<{ digest: string }>(
    'policy.older_in_use',
    `select policy_digest as digest from ledger.task_grant where state = 'granted' and (policy_digest < $1 or policy_digest > $1) limit 1`,
    [current],
  );
  return row?.digest;
}

/** Live grants that rest on the given set and are affected, in the order of their ids after the given one. */
export async function affectedGrants(sql: Sql, digest: string, affected: Affected, after: string, limit: number): Promise<FoundGrant[]> {
  const rows = await sql.run<{ id: GrantId; traceparent: string | null }>(
    'grant.affected',
    `with ${SLICES} select g.id, g.traceparent from ledger.task_grant g
     where g.state = 'granted' and g.policy_digest = $1 and g.id > $3 and ${AFFECTED} order by g.id limit $4`,
    [digest, asSlices(affected), after, limit],
  );
  return rows.map(({ id, traceparent }) => ({ id, ...(traceparent && { traceparent }) }));
}

/** Ids after one, up to another where there is one. */
export interface IdRange {
  readonly after: string;
  readonly upTo?: string | undefined;
}

/** Every id of a grant begins with `g`. */
const AFTER_ALL = 'h';

/** All grants in four parts of about the same size: ids are random. */
export const ID_RANGES: readonly IdRange[] = ['', 'gc', 'gk', 'gs'].map((after, at, all) => ({ after, upTo: all[at + 1] }));

/**
 * Moves live grants of a range that are not affected from one set to another, in the order of their ids; those that somebody holds are left
 * for the next time.
 * @returns how many were moved, and the last of them
 */
export async function moveUnaffected(
  sql: Sql,
  from: string,
  to: string,
  affected: Affected,
  { after, upTo }: IdRange,
  limit: number,
): Promise<{ readonly moved: number; readonly last?: string }> {
  const [row] = await sql.run<{ moved: number; last: string | null }>(
    'grant.move_unaffected',
    `with ${SLICES}, moved as (
       update ledger.task_grant set policy_digest = $5 where id = any(array(
         select g.id from ledger.task_grant g
         where g.state = 'granted' and g.policy_digest = $1 and g.id > $3 and g.id <= $6 and not ${AFFECTED} order by g.id limit $4
         for no key update skip locked
       )) returning id
     ) select count(*)::int as moved, max(id) as last from moved`,
    [from, asSlices(affected), after, limit, to, upTo ?? AFTER_ALL],
  );
  return { moved: row?.moved ?? 0, ...(row?.last && { last: row.last }) };
}
