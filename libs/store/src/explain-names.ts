/**
 * What Vault has that the ledger does not name, and what the ledger says lives that Vault no longer has. Lists may be long: one query each.
 * @module
 */
import type { Capability } from '@mayfly/domain';
import type { Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { GRANT, LEASE, readGrant, readLease, selectList } from './columns.js';

const unnamed =
  (by: string) =>
  async (sql: Sql, names: readonly string[]): Promise<string[]> =>
    (await sql.run<{ n: string }>('', `select n from unnest($1::text[]) as n where not exists (${by})`, [[...names]])).map(({ n }) => n);

/** Of these accessors, the ones that no grant names which is not over: neither as its token, nor as one that it had. */
export const unnamedTokens = unnamed(
  `select from ledger.task_grant g where g.token_accessor = n and g.state in ('granted', 'closing')
   union all select from ledger.retired_token r where r.accessor = n and r.gone_at is null`,
);

/** Of these lease ids, the ones that no lease names which is not over. */
export const unnamedLeases = unnamed(
  `select from ledger.lease l where l.vault_lease_id = n and l.state in ('minting', 'active', 'revoking', 'stuck')`,
);

/** Of these serial numbers, the ones that no lease has ever named. */
export const unnamedCertificates = unnamed('select from ledger.lease l where l.principal = n');

/** Live grants whose token is not among these accessors. A deadline that is about to pass explains a token that is gone. */
export async function grantsWithoutToken(sql: Sql, accessors: readonly string[], deadlineAfter: Date, limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    '',
    `select ${selectList(GRANT, 'g')} from ledger.task_grant g left join unnest($1::text[]) as n on n = g.token_accessor
     where g.state = 'granted' and g.token_accessor is not null and g.deadline > $2 and n is null limit $3`,
    [[...accessors], deadlineAfter, limit],
  );
  return rows.map(readGrant);
}

/** Active leases of a capability's role that are not among these ids. Their own end, when it is about to come, explains that they are gone. */
export async function leasesWithoutName(
  sql: Sql,
  { engine, mount, role }: Capability,
  leaseIds: readonly string[],
  expiresAfter: Date,
  limit: number,
): Promise<Lease[]> {
  const rows = await sql.run(
    '',
    `select ${selectList(LEASE, 'l')} from ledger.lease l
       join ledger.credential c on c.grant_id = l.grant_id and c.name = l.name and c.spec @> $1
       left join unnest($2::text[]) as n on n = l.vault_lease_id
     where l.state = 'active' and l.vault_lease_id is not null and l.expires_at > $3 and n is null limit $4`,
    [JSON.stringify({ engine, mount, role }), [...leaseIds], expiresAfter, limit],
  );
  return rows.map(readLease);
}
