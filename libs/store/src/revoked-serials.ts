/**
 * Certificates that nobody can revoke and whose task is over: still valid, and not to be accepted.
 * @module
 */
import type { Sql } from '@mayfly/postgres';

/** Serial numbers of a capability's certificates that were asked to end and whose validity is not over, oldest first. */
export async function revokedSerials(sql: Sql, capability: string, now: Date): Promise<string[]> {
  const rows = await sql.run<{ principal: string }>(
    '',
    `select l.principal from ledger.lease l join ledger.credential c on c.grant_id = l.grant_id and c.name = l.name
     where l.state in ('revoking', 'stuck') and l.expires_at > $2 and l.principal is not null
       and c.capability = $1 and c.spec ->> 'compensation' = 'revoked-serials'
     order by l.requested_at`,
    [capability, now],
  );
  return rows.map(({ principal }) => principal);
}
