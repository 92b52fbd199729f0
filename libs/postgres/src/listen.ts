/**
 * A connection that only listens, and comes back when it breaks.
 * @module
 */
import pg from 'pg';
import type { DatabaseOptions } from './options.js';

/** A running subscription. */
export interface Listener {
  close(): Promise<void>;
}

const RECONNECT_MILLISECONDS = 500;

/** Listens on one channel until closed; calls back once after every (re)connect too, since something may have been missed. */
export function listenTo(options: DatabaseOptions, channel: string, onNotify: (payload: string) => void): Listener {
  let closed = false;
  let current: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  const connect = async (): Promise<void> => {
    if (closed) return;
    const client = new pg.Client({
      connectionString: options.url,
      application_name: `${options.applicationName}-listen`,
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
    });
    current = client;
    let gone = false;
    const again = (): void => {
      if (gone) return;
      gone = true;
      client.end().catch(() => undefined);
      if (!closed) timer = setTimeout(() => void connect(), RECONNECT_MILLISECONDS);
    };
    client.on('error', again);
    client.on('end', again);
    client.on('notification', (message) => onNotify(message.payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      onNotify('');
    } catch {
      again();
    }
  };
  void connect();

  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await current?.end().catch(() => undefined);
    },
  };
}
