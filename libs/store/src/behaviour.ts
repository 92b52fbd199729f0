/**
 * A task's behaviour: raised by its refused calls, lowered by an operator, and then decided again.
 * @module
 */
import { BEHAVIOURS, type Behaviour, type GrantId } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';
import { GRANT, readGrant, selectList } from './columns.js';

const LADDER = `array['${BEHAVIOURS.join("', '")}']`;
const rank = (of: string): string => `array_position(${LADDER}, ${of})`;

/**
 * Raises a live grant, and all that live under it: a sub-task never stands better than the task that it works for. Compare-and-set: what is
 * there already, or worse, stays. Locks from above, as an end does.
 * @returns those that were raised; none when somebody was faster
 */
export async function raiseBehaviour(tx: Sql, id: GrantId, to: Behaviour): Promise<Grant[]> {
  const rows = await tx.run(
    '',
    `with recursive tree as (
       select id from ledger.task_grant where id = $1 and state = 'granted'
       union all
       select child.id from tree join ledger.task_grant child on child.parent_grant_id = tree.id and child.state = 'granted'
     ), held as (
       select id from ledger.task_grant where id in (select id from tree) order by delegation_depth, id for no key update
     )
     update ledger.task_grant g set behaviour = $2::text from held
     where g.id = held.id and g.state = 'granted' and ${rank('g.behaviour')} < ${rank('$2::text')} returning ${selectList(GRANT, 'g')}`,
    [id, to],
  );
  if (rows.length > 0) await tx.run('behaviour.wake', `select pg_notify('${CHANNELS.behaviour}', '')`);
  return rows.map(readGrant);
}

/**
 * Gives a suspended or narrowed task back what policy permits; its refused calls are counted afresh.
 * @returns the grant as it was before; undefined when it is not live, or has lost nothing
 */
export async function reinstateBehaviour(tx: Sql, taskId: string): Promise<Grant | undefined> {
  // In the order in which evaluations lock: usage, then grant.
  await tx.run(
    '',
    `update ledger.task_usage used set refused = 0 from ledger.task_grant g
     where g.task_id = $1 and used.grant_id = g.id and g.state = 'granted' and g.behaviour <> 'normal'`,
    [taskId],
  );
  const [row] = await tx.run<object & { id: GrantId; behaviour: Behaviour }>(
    '',
    `select ${selectList(GRANT)} from ledger.task_grant where task_id = $1 and state = 'granted' and behaviour <> 'normal' for no key update`,
    [taskId],
  );
  if (!row) return undefined;
  await tx.run('behaviour.reinstate', `update ledger.task_grant set behaviour = 'normal' where id = $1 and behaviour = $2`, [
    row.id,
    row.behaviour,
  ]);
  await tx.run('behaviour.wake', `select pg_notify('${CHANNELS.behaviour}', '')`);
  return readGrant(row);
}

/** Some live grants that were decided last under another behaviour than theirs is now. */
export async function grantsOfOtherBehaviour(sql: Sql, limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    'behaviour.moved',
    `select ${selectList(GRANT)} from ledger.task_grant where state = 'granted' and behaviour <> behaviour_decided order by id limit $1`,
    [limit],
  );
  return rows.map(readGrant);
}

/** Notes that a grant was decided again under the behaviour that it had then. */
export async function noteBehaviourDecided(tx: Sql, { id, behaviour }: Pick<Grant, 'id' | 'behaviour'>): Promise<void> {
  await tx.run('behaviour.decided', 'update ledger.task_grant set behaviour_decided = $2 where id = $1 and behaviour_decided <> $2', [
    id,
    behaviour,
  ]);
}
