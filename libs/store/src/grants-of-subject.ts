/**
 * Live grants of whom a security event names.
 * @module
 */
import type { Sql } from '@mayfly/postgres';
import type { GrantId } from '@mayfly/domain';
import type { FoundGrant } from './affected-grants.js';

/** Whom it names: every field given has to match, with any of its names. */
export interface SubjectFilter {
  readonly tenant: string;
  readonly tasks?: readonly string[] | undefined;
  readonly agents?: readonly string[] | undefined;
  readonly initiators?: readonly string[] | undefined;
}

/** Their live grants in the order of their ids after the given one. */
export async function grantsOfSubject(sql: Sql, subject: SubjectFilter, after: string, limit: number): Promise<FoundGrant[]> {
  const conditions = ['tenant = $1', 'id > $2'];
  const values: unknown[] = [subject.tenant, after];
  const among = (column: string, names: readonly string[] | undefined): void => {
    if (names) conditions.push(`${column} = any($${values.push([...names])})`);
  };
  among('task_id', subject.tasks);
  among('agent_id', subject.agents);
  among('initiator_id', subject.initiators);
  // For the index over live initiators: all of its states, of which one is meant.
  if (subject.initiators) conditions.push(`state in ('requested', 'pending', 'granted')`);
  const rows = await sql.run<{ id: GrantId; traceparent: string | null }>(
    '',
    `select id, traceparent from ledger.task_grant where state = 'granted' and ${conditions.join(' and ')} order by id limit $${values.push(limit)}`,
    values,
  );
  return rows.map(({ id, traceparent }) => ({ id, ...(traceparent && { traceparent }) }));
}
