/**
 * Each event once: `source` + `id` name an event for ever.
 * @module
 */
import type { Sql } from '@mayfly/postgres';

/** `new`: never seen. `again`: the same event once more. `conflict`: same name, other content. */
export type Sighting = 'new' | 'again' | 'conflict';

/** Notes an event in the caller's transaction; a second process with the same event waits for that transaction. */
export async function noteEvent(tx: Sql, source: string, eventId: string, digest: string): Promise<Sighting> {
  const inserted = await tx.run(
    'inbox.note',
    'insert into ledger.inbox (source, event_id, digest) values ($1, $2, $3) on conflict do nothing returning 1',
    [source, eventId, digest],
  );
  if (inserted.length > 0) return 'new';
  const [seen] = await tx.run<{ digest: string }>('inbox.find', 'select digest from ledger.inbox where source = $1 and event_id = $2', [
    source,
    eventId,
  ]);
  return seen?.digest === digest ? 'again' : 'conflict';
}
