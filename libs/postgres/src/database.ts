/**
 * One pool of connections, transactions and notifications.
 * @module
 */
import { StoreUnavailable } from '@mayfly/domain';
import { ATTRIBUTES, SPAN_PATTERNS, withSpan } from '@mayfly/telemetry';
import pg from 'pg';
import { isAway, isSilent } from './away.js';
import { Listening, type Listener } from './listen.js';
import type { DatabaseOptions } from './options.js';

/** A row as the driver gives it: `timestamptz` is a Date, `jsonb` is a value, `bigint` is a string. */
export type Row = Record<string, unknown>;

/** Something that runs SQL: a transaction or the pool itself. */
export interface Sql {
  /**
   * Runs one statement.
   * @param name names the prepared statement, one name for one text for ever; empty: not prepared, and planned for its values
   * @throws StoreUnavailable when the database is away; otherwise the driver's own error
   */
  run<R extends object = Row>(name: string, text: string, values?: readonly unknown[]): Promise<R[]>;
}

/** A PostgreSQL database. */
export interface Database extends Sql {
  /**
   * Runs the function in one transaction (read committed): commits when it returns, rolls back when it throws.
   * @param summary a short constant name of what is done, for the span
   */
  transaction<T>(summary: string, work: (tx: Sql) => Promise<T>): Promise<T>;
  /** Calls back on every `notify` on the channel, and after every reconnect (something may have been missed). */
  listen(channel: string, onNotify: (payload: string) => void): Listener;
  /** Resolves when the database answers. @throws StoreUnavailable */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A named statement is planned once in a session, for whatever values: left to itself, PostgreSQL plans statements over lists anew at each run,
 * which takes as long as running them. It may be planned while the tables are empty, and they may be full before it is planned again, so
 * that the plan must not be the one that is right for an empty table: to read all of it.
 */
const PLANS_KEPT = '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off';

/** Opens a pool; nothing is connected before the first use. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 10,
    application_name: options.applicationName,
    connectionTimeoutMillis: 3_000,
    statement_timeout: 15_000,
    // The server's own bound reaches nobody over a connection on which nothing comes any more.
    query_timeout: 16_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    // Statements here are short. Compiling one, which the planner takes for worth while once many grants live, takes longer than any of them.
    options: ['-c jit=off', ...(options.keepsPlans ? [PLANS_KEPT] : [])].join(' '),
  });
  // An idle connection that breaks is replaced at its next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  const listening = new Listening(options);
  /** Unnamed is what is run seldom, or is another statement each time: what the values are matters more than what planning takes. */
  const isPlannedAnew: Planned = (name, values = []) => options.keepsPlans === true && name === '' && values.length > 0;

  return {
    run: (name, text, values) =>
      mapped(() =>
        isPlannedAnew(name, values)
          ? inTransaction(pool, isPlannedAnew, (tx) => tx.run(name, text, values))
          : runOn(pool, name, text, values),
      ),
    transaction: (summary, work) =>
      withSpan(
        SPAN_PATTERNS.database(summary),
        { kind: 'client', attributes: { [ATTRIBUTES.dbSystem]: 'postgresql', [ATTRIBUTES.dbQuerySummary]: summary } },
        () => mapped(() => inTransaction(pool, isPlannedAnew, work)),
      ),
    listen: (channel, onNotify) => listening.listen(channel, onNotify),
    ping: async () => {
      await mapped(() => pool.query('select 1'));
    },
    close: () => pool.end(),
  };
}

/** Whether a statement has to be planned for its values although plans are kept. */
type Planned = (name: string, values?: readonly unknown[]) => boolean;

async function runOn<R extends object>(
  client: pg.Pool | pg.PoolClient,
  name: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  const result = await client.query<R & pg.QueryResultRow>({
    ...(name && { name }),
    text,
    ...(values.length > 0 && { values: [...values] }),
  });
  return result.rows;
}

async function inTransaction<T>(pool: pg.Pool, isPlannedAnew: Planned, work: (tx: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A server that ends this connection between two statements must cost this transaction, not the process.
  const onBreak = (error: Error): void => void (broken = error);
  client.on('error', onBreak);
  try {
    await client.query('begin');
    const result = await work({
      async run(name, text, values) {
        if (isPlannedAnew(name, values)) await client.query('set local plan_cache_mode = force_custom_plan');
        return runOn(client, name, text, values);
      },
    });
    await client.query('commit');
    return result;
  } catch (error) {
    // Whoever does not answer would not answer a rollback either: the server rolls back what is cut off.
    if (isSilent(error)) broken = error as Error;
    else await client.query('rollback').catch((rollbackError: Error) => (broken = rollbackError));
    throw error;
  } finally {
    client.off('error', onBreak);
    client.release(broken);
  }
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isAway(error) ? new StoreUnavailable({ cause: error }) : error;
  }
}
