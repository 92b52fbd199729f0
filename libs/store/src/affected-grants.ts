/**
 * Which live grants another policy set can touch.
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

/** One that a change can touch. */
export interface AffectedGrant extends FoundGrant {
  /** Whether a lease of it lives: who has nothing in hand can wait. */
  readonly holds: boolean;
}

/** Live grants that rest on the given set and are affected, in the order of their ids after the given one. */
export async function affectedGrants(sql: Sql, digest: string, affected: Affected, after: string, limit: number): Promise<AffectedGrant[]> {
  const rows = await sql.run<{ id: GrantId; traceparent: string | null; holds: boolean }>(
    'grant.affected',
    `with ${SLICES} select g.id, g.traceparent,
       exists (select from ledger.lease l where l.grant_id = g.id and l.state in ('minting', 'active')) as holds
     from ledger.task_grant g where g.state = 'granted' and g.policy_digest = $1 and g.id > $3 and ${AFFECTED} order by g.id limit $4`,
    [digest, asSlices(affected), after, limit],
  );
  return rows.map(({ id, traceparent, holds }) => ({ id, holds, ...(traceparent && { traceparent }) }));
}
