/**
 * A connection that only listens, and comes back when it breaks. One for all channels: whenever anybody notifies, PostgreSQL wakes every
 * session of the database that listens to anything.
 * @module
 */
import pg from 'pg';
import type { DatabaseOptions } from './options.js';

/** A running subscription. */
export interface Listener {
  close(): Promise<void>;
}

type OnNotify = (payload: string) => void;

const RECONNECT_MILLISECONDS = 500;

/** Subscriptions that share a connection; it lives from the first one until the last one is closed. */
export class Listening {
  readonly #heard = new Map<string, Set<OnNotify>>();
  /** The connection that is there or in the making. */
  #client: pg.Client | undefined;
  #connected = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: DatabaseOptions) {}

  /** Listens on one channel until closed; calls back once after every (re)connect too, since something may have been missed. */
  listen(channel: string, onNotify: OnNotify): Listener {
    this.#heard.set(channel, (this.#heard.get(channel) ?? new Set()).add(onNotify));
    if (this.#client && this.#connected) void this.#hear(this.#client, channel, [onNotify]);
    else if (!this.#client && !this.#timer) this.#connect();
    return { close: () => this.#forget(channel, onNotify) };
  }

  #connect(): void {
    this.#timer = undefined;
    const client = new pg.Client({
      connectionString: this.options.url,
      application_name: `${this.options.applicationName}-listen`,
      connectionTimeoutMillis: 3_000,
      keepAlive: true,
    });
    this.#client = client;
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ channel, payload = '' }) => this.#heard.get(channel)?.forEach((onNotify) => onNotify(payload)));
    void this.#begin(client).catch(() => this.#lost(client));
  }

  async #begin(client: pg.Client): Promise<void> {
    await client.connect();
    if (this.#client !== client) return client.end();
    this.#connected = true;
    await Promise.all([...this.#heard].map(([channel, those]) => this.#hear(client, channel, those)));
  }

  async #hear(client: pg.Client, channel: string, those: Iterable<OnNotify>): Promise<void> {
    const told = [...those];
    try {
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch {
      return this.#lost(client);
    }
    for (const onNotify of told) if (this.#heard.get(channel)?.has(onNotify)) onNotify('');
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#connected = false;
    client.end().catch(() => undefined);
    if (this.#heard.size > 0) this.#timer = setTimeout(() => this.#connect(), RECONNECT_MILLISECONDS);
  }

  async #forget(channel: string, onNotify: OnNotify): Promise<void> {
    const those = this.#heard.get(channel);
    those?.delete(onNotify);
    if (those?.size === 0) this.#heard.delete(channel);
    if (this.#heard.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const client = this.#client;
    this.#client = undefined;
    this.#connected = false;
    await client?.end().catch(() => undefined);
  }
}
