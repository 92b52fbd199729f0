/**
 * Leases that were asked to end and should be dead by now, while their secrets engine does not get on.
 * @module
 */
import type { Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { LEASE, readLease, selectList } from './columns.js';

/** Since when an end must have been asked for, to be overdue. */
export interface Overdue {
  /** Where an attempt has failed already. */
  readonly failedSince: Date;
  /** Whatever became of the attempts: they may hang. */
  readonly anySince: Date;
  /** Intents as old as this bring no principal any more that nobody could name yet. */
  readonly mintedSince: Date;
}

/** Overdue leases at one target that are not quarantined yet, oldest first. */
export async function overdueRevocations(sql: Sql, target: string, since: Overdue, limit: number): Promise<Lease[]> {
  const rows = await sql.run(
    '',
    `select ${selectList(LEASE, 'l')} from ledger.lease l join ledger.credential c on c.grant_id = l.grant_id and c.name = l.name
     where l.state in ('revoking', 'stuck') and l.quarantined_at is null
       and (l.requested_at <= $3 or l.requested_at <= $2 and (l.state = 'stuck' or l.last_problem is not null))
       and (l.principal is not null or l.intended_at <= $5)
       and c.spec ->> 'shape' = 'revocable' and c.spec ->> 'target' = $1
     order by l.requested_at limit $4`,
    [target, since.failedSince, since.anySince, limit, since.mintedSince],
  );
  return rows.map(readLease);
}
