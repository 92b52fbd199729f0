/**
 * Works through one batch of a partition: one key in order, different keys side by side.
 * @module
 */
import type { Ending } from './handle-record.js';
import type { Received } from './received.js';

/**
 * Handles every record, those of one key one after the other; records without a key have no order. A record that is left takes the later
 * ones of its key with it, so that none overtakes it.
 * @param handle never rejects
 * @param done called for each record that is done
 */
export async function workThrough(
  records: readonly Received[],
  handle: (record: Received) => Promise<Ending>,
  done: (record: Received) => void,
): Promise<void> {
  const lanes = new Map<string, Promise<Ending>>();
  const ends = records.map((record) => {
    // Latin 1 keeps different bytes different, whatever the key's encoding.
    const lane = record.raw.key?.toString('latin1') ?? `no key ${record.offset}`;
    const end = (lanes.get(lane) ?? Promise.resolve<Ending>('done')).then(async (before) => {
      if (before === 'left' || (await handle(record)) === 'left') return 'left';
      done(record);
      return 'done';
    });
    lanes.set(lane, end);
    return end;
  });
  await Promise.all(ends);
}
