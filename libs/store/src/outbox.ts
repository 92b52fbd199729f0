/**
 * The transactional outbox: events are written with the change, published later, in order, by their owner.
 * @module
 */
import type { OutEvent } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import type { Database, Sql } from '@mayfly/postgres';
import { announceTasks } from './changes.js';
import { CHANNELS, outboxChannel } from './channels.js';
import { INTAKE, intakeRows } from './evidence.js';

/** An event that waits to be published. */
export interface OutboxRow {
  /** Grows with the order of writing. */
  readonly id: string;
  readonly event: OutEvent;
}

/** Puts an event into the outbox, and its content into the evidence, in the caller's transaction. */
export const emit = (tx: Sql, owner: string, event: OutEvent): Promise<void> => emitAll(tx, owner, [event]);

/**
 * The same for many events, in their order. One statement: this is what every change of state costs.
 * @param changed tasks that are announced with it, as {@link announceTasks} does
 */
export async function emitAll(tx: Sql, owner: string, events: readonly OutEvent[], changed: readonly string[] = []): Promise<void> {
  if (events.length === 0) return announceTasks(tx, changed);
  const facts = events.map((event) => {
    const { tenant, taskId } = event.data as { tenant?: string; taskId?: string };
    const data = { ...event.data, eventId: event.id, ...(event.causationId && { causationId: event.causationId }) };
    return { kind: event.type, at: event.time.toISOString(), tenant, taskId, by: owner, data, traceparent: event.traceparent };
  });
  await tx.run(
    'outbox.emit',
    `with ${OUTBOX}, ${INTAKE('$3')} select ${WAKE}, pg_notify('${CHANNELS.evidence}', ''),
       (select count(pg_notify('${CHANNELS.task}', task)) from unnest($4::text[]) as task)`,
    [owner, JSON.stringify(events), intakeRows(facts), changed],
  );
}

/** The same without evidence: for what is itself a copy of evidence. */
export async function putInOutbox(tx: Sql, owner: string, events: readonly OutEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.run('outbox.put', `with ${OUTBOX} select ${WAKE}`, [owner, JSON.stringify(events)]);
}

const WAKE = `pg_notify('${outboxChannel('')}' || $1, '')`;
const OUTBOX = 'put as (insert into ledger.outbox (owner, event) select $1, event from jsonb_array_elements($2::jsonb) as event)';

/** Where a relay takes an owner's events from. */
export class Outbox {
  constructor(
    private readonly database: Database,
    private readonly owner: string,
  ) {}

  /**
   * Takes the oldest rows, hands them to `publish`, and deletes them when that resolved. If the process dies in between they are
   * published again. One process at a time, so that order holds.
   * @returns how many were published; 0 also when another process is at it
   */
  async takeBatch(limit: number, publish: (rows: OutboxRow[]) => Promise<void>): Promise<number> {
    // Mostly there is nothing: that is asked without a transaction.
    const [waiting] = await this.database.run('outbox.waiting', 'select from ledger.outbox where owner = $1 limit 1', [this.owner]);
    if (!waiting) return 0;
    return this.database.transaction('publish outbox', async (tx) => {
      const [lock] = await tx.run<{ held: boolean }>('outbox.lock', `select pg_try_advisory_xact_lock(4701003, hashtext($1)) as held`, [
        this.owner,
      ]);
      if (!lock?.held) return 0;
      const rows = await tx.run<{ id: string; event: OutEvent }>(
        'outbox.take',
        'select id, event from ledger.outbox where owner = $1 order by id limit $2',
        [this.owner, limit],
      );
      if (rows.length === 0) return 0;
      failpoint('C14');
      await publish(rows.map(({ id, event }) => ({ id, event: { ...event, time: new Date(event.time) } })));
      failpoint('C15');
      await tx.run('outbox.done', 'delete from ledger.outbox where owner = $1 and id = any($2::bigint[])', [
        this.owner,
        rows.map((row) => row.id),
      ]);
      return rows.length;
    });
  }

  /** Age of the oldest waiting event in seconds; 0 when nothing waits. */
  async lagSeconds(): Promise<number> {
    const [row] = await this.database.run<{ lag: number }>(
      'outbox.lag',
      'select coalesce(extract(epoch from now() - min(written_at)), 0)::float as lag from ledger.outbox where owner = $1',
      [this.owner],
    );
    return row?.lag ?? 0;
  }
}
