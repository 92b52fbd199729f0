/**
 * Evidence: stated in the intake with the change itself, chained by one writer.
 * @module
 */
import { append, type EvidenceRecord, type Fact } from '@mayfly/evidence-log';
import { failpoint } from '@mayfly/failpoints';
import type { Sql } from '@mayfly/postgres';
import { currentTrace } from '@mayfly/telemetry';
import { CHANNELS } from './channels.js';

const CHAIN_LOCK = 4_701_002;
const RECORD = `index::int as index, kind, at, tenant, task_id as "taskId", by, data, previous_hash as "previousHash", hash`;

/** A fact with the trace that its record continues; by default the one in which it is stated. */
export interface StatedFact extends Fact {
  readonly traceparent?: string | undefined;
}

/** States a fact in the caller's transaction: it is durable exactly when the change is. */
export const stateFact = (tx: Sql, fact: StatedFact): Promise<void> => stateFacts(tx, [fact]);

/** The same for many facts, in their order. */
export async function stateFacts(tx: Sql, facts: readonly StatedFact[]): Promise<void> {
  if (facts.length === 0) return;
  await tx.run('evidence.state', `with ${INTAKE('$1')} select pg_notify('${CHANNELS.evidence}', '')`, [intakeRows(facts)]);
}

/**
 * The statement's part that puts facts into the intake; they are the JSON text of {@link intakeRows} in this parameter.
 * @param when another part of the statement: without a row of it nothing is stated
 */
export const INTAKE = (parameter: string, when?: string): string =>
  `stated as (insert into evidence.intake (fact, traceparent)
     select each -> 'fact', each ->> 'traceparent' from jsonb_array_elements(${parameter}::jsonb) as each${when ? ` where exists (select from ${when})` : ''})`;

/** Facts as {@link INTAKE} takes them. */
export function intakeRows(facts: readonly StatedFact[]): string {
  const here = currentTrace()?.traceparent;
  return JSON.stringify(facts.map(({ traceparent = here, ...fact }) => ({ fact, traceparent })));
}

/** Whether any fact waits for its place in the chain. */
export const factsWait = async (sql: Sql): Promise<boolean> =>
  (await sql.run('evidence.waiting', 'select from evidence.intake limit 1')).length > 0;

/**
 * Moves facts from the intake to the end of the chain. Only one process does so at a time.
 * @param limit how many at most
 * @param announce told of each new record in the same transaction, with the trace in which its fact was stated
 * @returns how many were moved; 0 also when another process is at it
 */
export async function chainFacts(
  tx: Sql,
  limit: number,
  announce: (record: EvidenceRecord, traceparent: string | undefined) => Promise<void> | void,
): Promise<number> {
  const [lock] = await tx.run<{ held: boolean }>('evidence.lock', 'select pg_try_advisory_xact_lock($1) as held', [CHAIN_LOCK]);
  if (!lock?.held) return 0;
  const facts = await tx.run<{ id: string; fact: Fact; traceparent: string | null }>(
    'evidence.take',
    `delete from evidence.intake where id in (select id from evidence.intake order by id limit $1) returning id, fact, traceparent`,
    [limit],
  );
  if (facts.length === 0) return 0;
  facts.sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)));
  let [last] = await tx.run<Pick<EvidenceRecord, 'index' | 'hash'>>(
    'evidence.head',
    // By the column: an output of the same name would be sorted by, and the whole log read for it.
    'select index::int as index, hash from evidence.log order by log.index desc limit 1',
  );
  const records: EvidenceRecord[] = [];
  for (const { fact } of facts) {
    const record = append(last, fact);
    records.push(record);
    last = record;
  }
  await tx.run(
    'evidence.append',
    `insert into evidence.log (index, kind, at, tenant, task_id, by, data, previous_hash, hash)
     select (r->>'index')::bigint, r->>'kind', r->>'at', r->>'tenant', r->>'taskId', r->>'by', r->'data', r->>'previousHash', r->>'hash'
     from jsonb_array_elements($1::jsonb) as r`,
    [JSON.stringify(records)],
  );
  failpoint('C16');
  for (const [position, record] of records.entries()) await announce(record, facts[position]?.traceparent ?? undefined);
  return records.length;
}

/** A page of the log in order, from an index on. */
export async function readLog(sql: Sql, fromIndex: number, limit: number): Promise<EvidenceRecord[]> {
  const rows = await sql.run<EvidenceRecord>(
    'evidence.page',
    `select ${RECORD} from evidence.log where index >= $1 order by log.index limit $2`,
    [fromIndex, limit],
  );
  return rows.map(withoutNulls);
}

/** Everything that the log says about one task, in order. */
export async function readTaskLog(sql: Sql, taskId: string): Promise<EvidenceRecord[]> {
  const rows = await sql.run<EvidenceRecord>(
    'evidence.of_task',
    `select ${RECORD} from evidence.log where task_id = $1 order by log.index`,
    [taskId],
  );
  return rows.map(withoutNulls);
}

/** What is known about a task, in order: a record of the log, or a fact that waits for its place there. */
export type TaskEntry = Fact & Partial<Pick<EvidenceRecord, 'index' | 'hash'>>;

/** Everything that was stated about one task, chained or not. One statement, so that nothing is missed on its way from one to the other. */
export async function readTaskEntries(sql: Sql, taskId: string): Promise<TaskEntry[]> {
  const rows = await sql.run<TaskEntry>(
    'evidence.entries_of_task',
    `select kind, at, tenant, task_id as "taskId", by, data, index, hash from (
       select 0 as part, index as place, kind, at, tenant, task_id, by, data, index::int as index, hash from evidence.log where task_id = $1
       union all
       select 1, id, fact ->> 'kind', fact ->> 'at', fact ->> 'tenant', fact ->> 'taskId', fact ->> 'by', fact -> 'data', null, null
         from evidence.intake where fact ->> 'taskId' = $1
     ) as entry order by part, place`,
    [taskId],
  );
  return rows.map(withoutNulls);
}

/** Size and hash of the log's head; undefined while it is empty. */
export async function readHead(sql: Sql): Promise<{ size: number; hash: string } | undefined> {
  const [row] = await sql.run<{ size: number; hash: string }>(
    'evidence.size',
    'select index::int + 1 as size, hash from evidence.log order by index desc limit 1',
  );
  return row;
}

/** A column that was absent in the hashed record is null in the table; absent again here, so that hashes agree. */
function withoutNulls<Row extends object>(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Row;
}
