/**
 * Which principals at a target the ledger can explain.
 * @module
 */
import type { Sql } from '@mayfly/postgres';

/** Of these principals, the ones that no open lease names, and whose grant is not minting anything right now. */
export async function unexplainedPrincipals(
  sql: Sql,
  principals: readonly { readonly name: string; readonly grantId: string }[],
): Promise<string[]> {
  const rows = await sql.run<{ name: string }>(
    '',
    `select p.name from unnest($1::text[], $2::text[]) as p (name, grant_id)
     where not exists (select from ledger.lease l where l.principal = p.name and l.state in ('minting', 'active', 'revoking', 'stuck'))
       and not exists (select from ledger.lease l where l.grant_id = p.grant_id and l.state = 'minting')`,
    [principals.map(({ name }) => name), principals.map(({ grantId }) => grantId)],
  );
  return rows.map(({ name }) => name);
}
