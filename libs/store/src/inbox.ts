/**
 * Each event once: `source` + `id` name an event for ever.
 * @module
 */
import type { Sql } from '@mayfly/postgres';

/** `new`: never seen. `again`: the same event once more. `conflict`: same name, other content. */
export type Sighting = 'new' | 'again' | 'conflict';

/** An event as the inbox knows it. */
export interface Sighted {
  readonly source: string;
  readonly id: string;
  readonly digest: string;
}

/** The same for many events at once, in their order; a name that occurs twice among them counts as seen the second time. */
export async function noteEvents(tx: Sql, events: readonly Sighted[]): Promise<Sighting[]> {
  const inserted = await tx.run<{ source: string; event_id: string }>(
    'inbox.note_all',
    // In one order, so that two processes with the same events wait for each other instead of deadlocking.
    `insert into ledger.inbox (source, event_id, digest)
     select source, id, digest from jsonb_to_recordset($1::jsonb) as sighted (source text, id text, digest text) order by source, id
     on conflict do nothing returning source, event_id`,
    [JSON.stringify(events.map(({ source, id, digest }) => ({ source, id, digest })))],
  );
  const name = (source: string, id: string): string => JSON.stringify([source, id]);
  const fresh = new Set(inserted.map((row) => name(row.source, row.event_id)));
  const sightings: Sighting[] = [];
  // What is new comes here once; all else is looked up, which is rare.
  for (const { source, id, digest } of events)
    sightings.push(fresh.delete(name(source, id)) ? 'new' : await noteEvent(tx, source, id, digest));
  return sightings;
}

/** Notes an event in the caller's transaction; a second process with the same event waits for that transaction. */
export async function noteEvent(tx: Sql, source: string, eventId: string, digest: string): Promise<Sighting> {
  const inserted = await tx.run(
    'inbox.note',
    'insert into ledger.inbox (source, event_id, digest) values ($1, $2, $3) on conflict do nothing returning 1',
    [source, eventId, digest],
  );
  if (inserted.length > 0) return 'new';
  return (await contradictsInbox(tx, { source, id: eventId, digest })) ? 'conflict' : 'again';
}

/** What noting this event would come to. Notes nothing. */
export async function sightingOf(sql: Sql, event: Sighted): Promise<Sighting> {
  const digest = await digestSeen(sql, event);
  return digest === undefined ? 'new' : digest === event.digest ? 'again' : 'conflict';
}

/** Whether another event of this name was seen before: same name, other content. Notes nothing. */
export const contradictsInbox = async (sql: Sql, event: Sighted): Promise<boolean> => (await sightingOf(sql, event)) === 'conflict';

async function digestSeen(sql: Sql, { source, id }: Sighted): Promise<string | undefined> {
  const [seen] = await sql.run<{ digest: string }>('inbox.find', 'select digest from ledger.inbox where source = $1 and event_id = $2', [
    source,
    id,
  ]);
  return seen?.digest;
}
