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
export const isOffboarded = async (sql: Sql, tenant: string, id: string): Promise<boolean> =>
  (await offboardedAmong(sql, [{ tenant, id }])).size > 0;

/** A live grant, and whether its initiator has left. */
export interface OffboardedGrant extends FoundGrant {
  readonly gone: boolean;
  /** `jti` of the event that said so. */
  readonly eventId: string;
}

/** Live grants that were decided as if their initiator had not left, or had, and it is the other way round. */
export async function grantsOfOffboarded(sql: Sql, limit: number): Promise<OffboardedGrant[]> {
  return sql.run<OffboardedGrant & object>(
    '',
    `select g.id, g.traceparent, o.gone, o.event_id as "eventId" from ledger.offboarding o
     join ledger.task_grant g on g.tenant = o.tenant and g.initiator_id = o.initiator_id and g.state in ('requested', 'pending', 'granted')
     where g.state = 'granted' and g.initiator_offboarded <> o.gone limit $1`,
    [limit],
  );
}

/** An initiator, as {@link offboardedAmong} is asked about him. */
export interface Initiator {
  readonly tenant: string;
  readonly id: string;
}

/** Of these initiators those of whom a signal said that they have left, and none that they are back. */
export async function offboardedAmong<One extends Initiator>(sql: Sql, initiators: readonly One[]): Promise<ReadonlySet<One>> {
  if (initiators.length === 0) return new Set();
  const rows = await sql.run<{ place: number }>(
    'offboarding.among',
    `select (asked.place - 1)::int as place from unnest($1::text[], $2::text[]) with ordinality as asked (tenant, id, place)
     join ledger.offboarding o on o.tenant = asked.tenant and o.initiator_id = asked.id where o.gone`,
    [initiators.map(({ tenant }) => tenant), initiators.map(({ id }) => id)],
  );
  return new Set(rows.flatMap(({ place }) => initiators[place] ?? []));
}
