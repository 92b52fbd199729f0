/**
 * Which versions of a stored object were read by tasks that had to be stopped.
 * @module
 */
import { TAINTING_CAUSES } from '@mayfly/revocation';
import type { Sql } from '@mayfly/postgres';

const CAUSES = TAINTING_CAUSES.map((cause) => `'${cause}'`).join(', ');

/** True when a task that was stopped for what it did had read this version by this capability. */
export async function isTainted(sql: Sql, capability: string, version: string): Promise<boolean> {
  const rows = await sql.run(
    'lease.tainted',
    `select from ledger.lease l join ledger.credential c on c.grant_id = l.grant_id and c.name = l.name
     where l.principal = $2 and c.capability = $1 and l.delivered_at is not null and l.cause in (${CAUSES}) limit 1`,
    [capability, version],
  );
  return rows.length > 0;
}
