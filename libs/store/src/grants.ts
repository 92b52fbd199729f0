/**
 * Grants: written when a task is seen, changed only by compare-and-set.
 * @module
 */
import { mayGrantGo, type Grant, type GrantState } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { newGrantId, type GrantId, type TaskOutcome } from '@mayfly/domain';
import { assignments, GRANT, nameOf, readGrant, rowsOf, selectList, stored } from './columns.js';

const ALL = selectList(GRANT);

/** What a new grant's row holds. */
export type NewGrant = Omit<Grant, 'revokeAttempts' | 'delegationDepth' | 'behaviour'> &
  Partial<Pick<Grant, 'delegationDepth' | 'behaviour'>> & { readonly state: 'requested' | 'closed' };

/** Opens a grant, or writes a tombstone. False when the task already has a row: somebody was faster, or the task has ended. */
export async function insertGrant(tx: Sql, grant: NewGrant): Promise<boolean> {
  const row: Record<string, unknown> = {
    prior_state: 'none',
    initiator_id: grant.request?.initiator?.id ?? null,
    workflow: grant.request?.workflow.name ?? null,
  };
  for (const [field, value] of Object.entries(grant)) row[GRANT[field as keyof Grant]] = stored(value);
  const columns = Object.keys(row);
  const inserted = await tx.run(
    nameOf('grant.insert', row),
    `insert into ledger.task_grant (${columns.join(', ')}) values (${columns.map((_, i) => `$${i + 1}`).join(', ')}) on conflict (task_id) do nothing returning 1`,
    Object.values(row),
  );
  return inserted.length > 0;
}

/** An end that came before its start. */
export interface EarlyEnd extends Pick<Grant, 'taskId' | 'tenant' | 'source'> {
  readonly outcome: TaskOutcome;
  /** CloudEvents id of the end. */
  readonly eventId: string;
  readonly at: Date;
}

/** Closes a task for ever before it starts. False when it has a row already. */
export const insertTombstone = (tx: Sql, { taskId, tenant, source, outcome, eventId, at }: EarlyEnd): Promise<boolean> =>
  insertGrant(tx, {
    id: newGrantId(),
    taskId,
    tenant,
    source,
    state: 'closed',
    risk: 0,
    openedAt: at,
    closedAt: at,
    endCause: 'task_ended',
    endOutcome: outcome,
    endEventId: eventId,
  });

/** Whether this is the tombstone that this end left, whoever wrote it. */
export const isTombstoneOf = (grant: Grant, eventId: string): boolean =>
  grant.state === 'closed' && grant.request === undefined && grant.endEventId === eventId;

/** The grant of a task, if there is one. */
export async function findGrantByTask(sql: Sql, taskId: string): Promise<Grant | undefined> {
  const [row] = await sql.run('grant.by_task', `select ${ALL} from ledger.task_grant where task_id = $1`, [taskId]);
  return row && readGrant(row);
}

/**
 * The same, locked until the transaction ends: whoever else wants to change it waits. Not `for update`: the second change of a sub-task's
 * row makes PostgreSQL look whether its parent is still there, and that must not wait for who holds the parent and wants the sub-task.
 */
export async function lockGrantByTask(tx: Sql, taskId: string): Promise<Grant | undefined> {
  const [row] = await tx.run('grant.lock_by_task', `select ${ALL} from ledger.task_grant where task_id = $1 for no key update`, [taskId]);
  return row && readGrant(row);
}

/** The same by Mayfly's own id. */
export async function lockGrant(tx: Sql, id: GrantId): Promise<Grant | undefined> {
  const [row] = await tx.run('grant.lock', `select ${ALL} from ledger.task_grant where id = $1 for no key update`, [id]);
  return row && readGrant(row);
}

/** A grant by Mayfly's own id. */
export async function findGrant(sql: Sql, id: GrantId): Promise<Grant | undefined> {
  const [row] = await sql.run('grant.by_id', `select ${ALL} from ledger.task_grant where id = $1`, [id]);
  return row && readGrant(row);
}

/** Grants of these tasks, as far as there are any, locked in one order until the transaction ends. */
export async function lockGrantsByTask(tx: Sql, taskIds: readonly string[]): Promise<Grant[]> {
  const rows = await tx.run(
    'grant.lock_by_tasks',
    `select ${ALL} from ledger.task_grant where task_id = any($1) order by id for no key update`,
    [taskIds],
  );
  return rows.map(readGrant);
}

/** Sub-tasks of grants that still live, locked in one order until the transaction ends. */
export async function lockLiveChildren(tx: Sql, ids: readonly GrantId[]): Promise<Grant[]> {
  const rows = await tx.run(
    'grant.lock_children',
    `select ${ALL} from ledger.task_grant where parent_grant_id = any($1) and state in ('requested', 'pending', 'granted') order by id for no key update`,
    [ids],
  );
  return rows.map(readGrant);
}

/** Fields that may change together with, or without, a state. */
export type GrantPatch = Partial<Omit<Grant, 'id' | 'taskId' | 'state' | 'tenant'>>;

/** One grant's part of a {@link transitionGrants}; all of one call name the same fields. */
export interface GrantChange {
  readonly id: GrantId;
  readonly patch: { readonly [Field in keyof GrantPatch]: GrantPatch[Field] | null };
}

/**
 * The only way grants' states change: compare-and-set.
 * @returns those that were changed; the others were not (or no longer) in `from`, which is a normal outcome
 */
export async function transitionGrants(tx: Sql, from: GrantState, to: GrantState, changes: readonly GrantChange[]): Promise<Grant[]> {
  if (!mayGrantGo(from, to)) throw new TypeError(`a grant may not go from ${from} to ${to}`);
  const { list, rows } = rowsOf(
    GRANT,
    changes.map(({ id, patch }) => [{ id }, patch]),
  );
  const changed = await tx.run(
    nameOf('grant.go', changes[0]?.patch ?? {}),
    `update ledger.task_grant old set state = $2, prior_state = $1${list}
     from jsonb_populate_recordset(null::ledger.task_grant, $3::jsonb) as new where old.id = new.id and old.state = $1 returning ${selectList(GRANT, 'old')}`,
    [from, to, rows],
  );
  return changed.map(readGrant);
}

/** The same for one grant; undefined when it was not (or no longer) in `from`. */
export async function transitionGrant(
  tx: Sql,
  id: GrantId,
  from: GrantState,
  to: GrantState,
  patch: GrantPatch = {},
): Promise<Grant | undefined> {
  return (await transitionGrants(tx, from, to, [{ id, patch }]))[0];
}

/** Changes fields of a grant that is in the given state; false when it is not. */
export async function amendGrant(tx: Sql, id: GrantId, state: GrantState, patch: GrantPatch): Promise<boolean> {
  const { list, values } = assignments(GRANT, patch, 3);
  const rows = await tx.run(nameOf('grant.amend', patch), `update ledger.task_grant set ${list} where id = $1 and state = $2 returning 1`, [
    id,
    state,
    ...values,
  ]);
  return rows.length > 0;
}

/** A token that was just made, as the ledger keeps it. */
export interface NewTaskToken {
  readonly sealed: string;
  readonly accessor: string;
  /** Capabilities whose policies it has. */
  readonly opens: readonly string[];
}

/**
 * Keeps a task's token, if the grant has none yet; a grant that ends keeps it too, for the revoker.
 * @returns the grant's state, or undefined when the token is not kept: another one is, or the grant is over
 */
export async function keepTaskToken(
  tx: Sql,
  id: GrantId,
  { sealed, accessor, opens }: NewTaskToken,
): Promise<'granted' | 'closing' | undefined> {
  const [row] = await tx.run<{ state: 'granted' | 'closing' }>(
    'grant.keep_token',
    `update ledger.task_grant set sealed_token = $2, token_accessor = $3, token_capabilities = $4
     where id = $1 and token_accessor is null and state in ('granted', 'closing') returning state`,
    [id, sealed, accessor, opens],
  );
  return row?.state;
}
