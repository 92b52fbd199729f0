/**
 * Grants as operators look for them.
 * @module
 */
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { CREDENTIAL, GRANT, LEASE, readCredential, readGrant, readLease, selectList } from './columns.js';

/** What to look for; every field given has to match. */
export interface GrantFilter {
  readonly state?: string | undefined;
  readonly taskId?: string | undefined;
  readonly agent?: string | undefined;
  readonly initiator?: string | undefined;
  readonly capability?: string | undefined;
  readonly workflow?: string | undefined;
  readonly tenant?: string | undefined;
  /** Opened at this moment or later. */
  readonly openedSince?: Date | undefined;
  readonly limit: number;
  /** Continue after this grant (newest first). */
  readonly after?: { readonly openedAt: Date; readonly id: string } | undefined;
}

/** A grant with all that hangs on it. */
export interface GrantTree {
  readonly grant: Grant;
  readonly credentials: readonly Credential[];
  readonly leases: readonly Lease[];
}

/** The newest grants that match, newest first. */
export async function listGrants(sql: Sql, filter: GrantFilter): Promise<GrantTree[]> {
  const { values, is, conditions } = conditionsOf(filter);
  if (filter.after) conditions.push(`(g.opened_at, g.id) < (${is(filter.after.openedAt)}, ${is(filter.after.id)})`);
  const rows = await sql.run(
    '',
    `select ${selectList(GRANT, 'g')} from ledger.task_grant g where ${conditions.join(' and ')} order by g.opened_at desc, g.id desc limit ${is(filter.limit)}`,
    values,
  );
  const grants = rows.map(readGrant);
  const ids = grants.map((grant) => grant.id);
  const [credentialRows, leaseRows] = await Promise.all([
    sql.run('list.credentials', `select ${selectList(CREDENTIAL)} from ledger.credential where grant_id = any($1) order by position`, [
      ids,
    ]),
    sql.run('list.leases', `select ${selectList(LEASE)} from ledger.lease where grant_id = any($1) order by intended_at, ref`, [ids]),
  ]);
  const credentials = credentialRows.map(readCredential);
  const leases = leaseRows.map(readLease);
  return grants.map((grant) => ({
    grant,
    credentials: credentials.filter((credential) => credential.grantId === grant.id),
    leases: leases.filter((lease) => lease.grantId === grant.id),
  }));
}

/** How many grants match. */
export async function countGrants(sql: Sql, filter: Omit<GrantFilter, 'limit' | 'after'>): Promise<number> {
  const { values, conditions } = conditionsOf(filter);
  const [row] = await sql.run<{ count: number }>(
    '',
    `select count(*)::int as count from ledger.task_grant g where ${conditions.join(' and ')}`,
    values,
  );
  return row?.count ?? 0;
}

function conditionsOf(filter: Omit<GrantFilter, 'limit' | 'after'>) {
  const values: unknown[] = [];
  const is = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['true'];
  if (filter.state) conditions.push(`g.state = ${is(filter.state)}`);
  if (filter.taskId) conditions.push(`g.task_id = ${is(filter.taskId)}`);
  if (filter.agent) conditions.push(`g.agent_id = ${is(filter.agent)}`);
  if (filter.initiator) conditions.push(`g.initiator_id = ${is(filter.initiator)}`);
  if (filter.workflow) conditions.push(`g.workflow = ${is(filter.workflow)}`);
  if (filter.tenant) conditions.push(`g.tenant = ${is(filter.tenant)}`);
  if (filter.openedSince) conditions.push(`g.opened_at >= ${is(filter.openedSince)}`);
  if (filter.capability)
    conditions.push(`exists (select from ledger.credential c where c.grant_id = g.id and c.capability = ${is(filter.capability)})`);
  return { values, is, conditions };
}
