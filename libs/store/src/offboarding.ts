/**
 * Who left, as security events say: kept, so that nothing is started for them later either.
 * @module
 */
import type { Sql } from '@mayfly/postgres';
import type { FoundGrant } from './affected-grants.js';

/** That somebody left or is back. */
export interface Offboarding {
  readonly tenant: string;
  /** The initiator, by any of the names that he may go by. */
  readonly names: readonly string[];
  readonly gone: boolean;
  /** When it happened, as the transmitter says. */
  readonly at: Date;
  readonly issuer: string;
  readonly eventId: string;
}

/** Notes it, unless something newer is known. */
export async function noteOffboarding(tx: Sql, { tenant, names, gone, at, issuer, eventId }: Offboarding): Promise<void> {
  await tx.run(
    'offboarding.note',
    `insert into ledger.offboarding (tenant, initiator_id, gone, changed_at, issuer, event_id) select $1, name, $3, $4, $5, $6 from unnest($2::text[]) as name
     on conflict (tenant, initiator_id) do update
       set gone = excluded.gone, changed_at = excluded.changed_at, issuer = excluded.issuer, event_id = excluded.event_id
       where ledger.offboarding.changed_at <= excluded.changed_at`,
    [tenant, [...names], gone, at, issuer, eventId],
  );
}

/** Whether a signal said that this initiator has left, and none that he is back. */
export async function isOffboarded(sql: Sql, tenant: string, initiator: string): Promise<boolean> {
  const rows = await sql.run('offboarding.of', 'select 1 from ledger.offboarding where tenant = $1 and initiator_id = $2 and gone', [
    tenant,
    initiator,
  ]);
  return rows.length > 0;
}

/** A live grant, and whether its initiator has left. */
export interface OffboardedGrant extends FoundGrant {
  readonly gone: boolean;
  /** `jti` of the event that said so. */
  readonly eventId: string;
}

/** Live grants that were decided as if their initiator had not left, or had, and it is the other way round. */
export async function grantsOfOffboarded(sql: Sql, limit: number): Promise<OffboardedGrant[]> {
  return sql.run<OffboardedGrant & object>(
    'grant.of_offboarded',
    `select g.id, g.traceparent, o.gone, o.event_id as "eventId" from ledger.offboarding o
     join ledger.task_grant g on g.tenant = o.tenant and g.initiator_id = o.initiator_id and g.state in ('requested', 'pending', 'granted')
     where g.state = 'granted' and g.initiator_offboarded <> o.gone limit $1`,
    [limit],
  );
}
