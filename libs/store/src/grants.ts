/**
 * Grants: written when a task is seen, changed only by compare-and-set.
 * @module
 */
import { mayGrantGo, type Grant, type GrantState } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { newGrantId, type GrantId, type TaskOutcome } from '@mayfly/domain';
import { assignments, GRANT, nameOf, readGrant, rowsOf, selectList } from './columns.js';

/** What no row begins with. */
const LATER: ReadonlySet<string> = new Set(['revokeAttempts', 'lostCapabilities', 'tokenCapabilities']);
const ALL = selectList(GRANT);
/** Columns that a new grant's row may fill; the others begin with their defaults. */
const OPENED = [
  ...Object.entries(GRANT).flatMap(([field, column]) => (LATER.has(field) ? [] : [column])),
  ...['prior_state', 'initiator_id', 'workflow', 'mint_at', 'mint_claim'],
].join(', ');

/** What a new grant's row holds. What was decided in the same transaction begins as `granted` or `denied`: it was `requested` before, where nobody saw it. */
export type NewGrant = Omit<Grant, 'revokeAttempts' | 'delegationDepth' | 'behaviour'> &
  Partial<Pick<Grant, 'delegationDepth' | 'behaviour'>> & { readonly state: 'requested' | 'granted' | 'denied' | 'closed' };
const DECIDED: ReadonlySet<GrantState> = new Set(['granted', 'denied']);

/** Opens a grant, or writes a tombstone. False when the task already has a row: somebody was faster, or the task has ended. */
export const insertGrant = async (tx: Sql, grant: NewGrant): Promise<boolean> => (await insertGrants(tx, [{ grant }])) === 1;

/** A grant to be opened. */
export interface Opening {
  readonly grant: NewGrant;
  /** Who opens it keeps its minting for itself until then: its claim is the first one. */
  readonly mintAt?: Date | undefined;
}

/** Opens many; returns how many of their tasks had no row yet. */
export async function insertGrants(tx: Sql, openings: readonly Opening[]): Promise<number> {
  const rows = openings.map(({ grant, mintAt }) => ({
    ...Object.fromEntries(Object.entries(grant).map(([field, value]) => [GRANT[field as keyof Grant], value])),
    prior_state: DECIDED.has(grant.state) ? 'requested' : 'none',
    initiator_id: grant.request?.initiator?.id,
    workflow: grant.request?.workflow.name,
    behaviour: grant.behaviour ?? 'normal',
    delegation_depth: grant.delegationDepth ?? 0,
    initiator_offboarded: grant.initiatorOffboarded ?? false,
    mint_at: mintAt,
    mint_claim: mintAt ? 1 : 0,
  }));
  const inserted = await tx.run(
    'grant.insert_all',
    // In one order, so that two processes with the same tasks wait for each other instead of deadlocking.
    `insert into ledger.task_grant (${OPENED}) select ${OPENED} from jsonb_populate_recordset(null::ledger.task_grant, $1::jsonb) order by task_id
     on conflict (task_id) do nothing returning 1`,
    [JSON.stringify(rows)],
  );
  return inserted.length;
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

/** The grants of these tasks, as far as there are any. */
export async function grantsOfTasks(sql: Sql, taskIds: readonly string[]): Promise<Grant[]> {
  const rows = await sql.run('grant.by_tasks', `select ${ALL} from ledger.task_grant where task_id = any($1)`, [taskIds]);
  return rows.map(readGrant);
}

/**
 * The same as {@link findGrantByTask}, locked until the transaction ends: whoever else wants to change it waits. Not `for update`: the second change of a sub-task's
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

/** Grants by Mayfly's own ids, locked in one order until the transaction ends. @param held what about those that somebody else holds */
export async function lockGrantRows(tx: Sql, ids: readonly GrantId[], held: 'wait' | 'skip'): Promise<Grant[]> {
  const rows = await tx.run(
    `grant.lock_rows.${held}`,
    `select ${ALL} from ledger.task_grant where id = any($1) order by id for no key update${held === 'skip' ? ' skip locked' : ''}`,
    [ids],
  );
  return rows.map(readGrant);
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
    // By the parents, never by the state: all that live are many more.
    `select ${ALL} from ledger.task_grant where parent_grant_id = any($1) and state || '' in ('requested', 'pending', 'granted') order by id for no key update`,
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
  /** What becomes of its revocation in the same version of its row. */
  readonly revocation?: Queued | Settled;
}
/** Something is to be revoked from then on, in this lane unless an earlier one asked before. */
export interface Queued {
  readonly revokeAt: Date;
  readonly revokeLane: number;
}
/** Nothing is left to revoke, unless more was asked for since this claim. */
export interface Settled {
  readonly revokeClaim: number;
}

const QUEUED = `, revoke_at = least(new.revoke_at, old.revoke_at), revoke_claim = old.revoke_claim + 1,
  revoke_lane = case when old.revoke_at is null then new.revoke_lane else least(old.revoke_lane, new.revoke_lane) end`;
const SETTLED = ', revoke_at = case when old.revoke_claim = new.revoke_claim then null else old.revoke_at end';
const WITH_REVOCATION = { ...GRANT, revokeAt: 'revoke_at', revokeLane: 'revoke_lane', revokeClaim: 'revoke_claim' };

/**
 * The only way grants' states change: compare-and-set. All changes of one call are of one form.
 * @returns those that were changed; the others were not (or no longer) in `from`, which is a normal outcome
 */
export async function transitionGrants(tx: Sql, from: GrantState, to: GrantState, changes: readonly GrantChange[]): Promise<Grant[]> {
  if (!mayGrantGo(from, to)) throw new TypeError(`a grant may not go from ${from} to ${to}`);
  if (changes.length === 0) return [];
  const { patch: form, revocation } = changes[0]!;
  const { list, rows } = rowsOf(
    WITH_REVOCATION,
    changes.map(({ id, patch, revocation: also }) => [{ id, ...also }, patch]),
  );
  const queue = revocation === undefined ? '' : 'revokeAt' in revocation ? QUEUED : SETTLED;
  const changed = await tx.run(
    nameOf('grant.go', { ...form, ...revocation }),
    // By the ids, never by the state: how many are in a state changes faster than the planner's idea of it.
    `update ledger.task_grant old set state = $2, prior_state = $1${list}${queue} from jsonb_populate_recordset(null::ledger.task_grant, $3::jsonb) as new
     where old.id = any($4::text[]) and old.id = new.id and old.state || '' = $1 returning ${selectList(GRANT, 'old')}`,
    [from, to, rows, changes.map(({ id }) => id)],
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

/** A task's first token. */
export interface FirstToken extends NewTaskToken {
  readonly id: GrantId;
  /** A claim of minting that ends with it, unless the grant ends, or more was asked for since. */
  readonly settles?: number | undefined;
}

/**
 * Keeps tasks' tokens, each if its grant has none yet; a grant that ends keeps it too, for the revoker.
 * @returns the state of each grant whose token is kept; of the others another one is, or the grant is over
 */
export async function keepTaskTokens(tx: Sql, tokens: readonly FirstToken[]): Promise<ReadonlyMap<GrantId, 'granted' | 'closing'>> {
  const rows = await tx.run<{ id: GrantId; state: 'granted' | 'closing' }>(
    'grant.keep_tokens',
    `with made as (select * from jsonb_to_recordset($2::jsonb) as made (id text, sealed text, accessor text, opens text[], settles int)),
     open as (
       select id from ledger.task_grant where id = any($1::text[]) and token_accessor is null and state || '' in ('granted', 'closing')
       order by id for no key update
     )
     update ledger.task_grant g set sealed_token = made.sealed, token_accessor = made.accessor, token_capabilities = made.opens,
       mint_at = case when g.state = 'granted' and g.mint_claim = made.settles then null else g.mint_at end
     from open join made using (id) where g.id = open.id returning g.id, g.state`,
    [
      tokens.map(({ id }) => id),
      JSON.stringify(tokens.map(({ id, sealed, accessor, opens, settles }) => ({ id, sealed, accessor, opens, settles }))),
    ],
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
}
