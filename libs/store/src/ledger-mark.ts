/**
 * Whether anybody has written in the ledger, at next to no cost: PostgreSQL counts that anyway.
 * @module
 */
import type { Sql } from '@mayfly/postgres';

/** Tables of the ledger that can be asked about. */
export type LedgerTable = 'task_grant' | 'lease' | 'retired_token' | 'vault_digest';

/**
 * The same twice: nobody wrote in these tables in between, and the server was not started anew. What a session has written is counted some
 * seconds later at most, and shows then.
 */
export async function ledgerMark(sql: Sql, tables: readonly LedgerTable[]): Promise<string> {
  const [row] = await sql.run<{ mark: string }>(
    'ledger.mark',
    `select pg_postmaster_start_time()::text || string_agg(
       format(' %s+%s-%s', pg_stat_get_tuples_inserted(id), pg_stat_get_tuples_updated(id), pg_stat_get_tuples_deleted(id)), '' order by id) as mark
     from unnest($1::text[]) as name, to_regclass('ledger.' || name) as id`,
    [tables],
  );
  return row?.mark ?? '';
}
