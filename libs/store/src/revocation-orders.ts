/**
 * Kill switches as orders: the order first, then page by page what it ends, by whoever finds it.
 * @module
 */
import type { GrantId, OrderId } from '@mayfly/domain';
import type { Grant, Selector, SelectorField } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';
import { GRANT, readGrant, selectList } from './columns.js';

/** How far an order is. */
export type OrderState = 'ending' | 'ended' | 'dark';

/** A kill switch. */
export interface RevocationOrder {
  readonly id: OrderId;
  readonly selector: Selector;
  readonly reason: string;
  readonly operator: string;
  readonly orderedAt: Date;
  readonly state: OrderState;
  /** Admissions that were under way when it came to be and may not have seen it; undefined before anybody looked. */
  readonly underWay?: readonly string[];
  readonly endedAt?: Date;
  readonly darkAt?: Date;
}

/** What has become of everything that an order means. */
export interface OrderProgress {
  /** Grants that it ended, sub-tasks included. */
  readonly ended: number;
  /** Grants that were ending already. */
  readonly endingBefore: number;
  readonly grantsClosed: number;
  readonly leases: number;
  /** Proven: revoked or expired. */
  readonly leasesDead: number;
  /** Nobody gets them from us any more, but what was handed out cannot be revoked: stored objects, data keys. */
  readonly leasesAccessEnded: number;
  /** None of these, and not stuck. */
  readonly leasesOpen: number;
  readonly leasesStuck: number;
  /** When the last grant was closed; undefined while one is not. */
  readonly closedAt?: Date;
  /** What stands in the way, by code, capability and until when at the latest. */
  readonly problems: readonly OrderProblem[];
}

/** Leases that are not dead, for one reason. */
export interface OrderProblem {
  readonly capability: string;
  readonly shape: string;
  readonly state: string;
  readonly problem?: string;
  readonly leases: number;
  /** When the last of them ends by itself at the latest. */
  readonly expiresAt?: Date;
}

/** The lock of `ledger.orders_in_force()`. */
const ADMISSION_LOCK = 4_701_004;
const LIVE = `g.state in ('requested', 'pending', 'granted')`;

const CONDITIONS: Readonly<Record<SelectorField, (value: string) => string>> = {
  taskId: (value) => `g.task_id = ${value}`,
  agent: (value) => `g.agent_id = ${value}`,
  initiator: (value) => `g.initiator_id = ${value}`,
  workflow: (value) => `g.workflow = ${value}`,
  tenant: (value) => `g.tenant = ${value}`,
  // What was denied is not held; what is not decided yet might be.
  capability: (value) =>
    `exists (select from ledger.credential c where c.grant_id = g.id and c.capability = ${value} and (c.permitted or g.state <> 'granted'))`,
};

const readOrder = (row: Record<string, unknown>): RevocationOrder => {
  const { field, value, ...rest } = Object.fromEntries(Object.entries(row).filter(([, each]) => each !== null)) as Record<string, never>;
  return { ...(rest as unknown as Omit<RevocationOrder, 'selector'>), selector: { field, value } as unknown as Selector };
};
const ORDER = `id, field, value, reason, operator, ordered_at as "orderedAt", state, under_way as "underWay", ended_at as "endedAt", dark_at as "darkAt"`;

/** Writes an order down. From the commit on, no start that it means is let in. */
export async function insertOrder(
  tx: Sql,
  { id, selector, reason, operator, orderedAt }: Pick<RevocationOrder, 'id' | 'selector' | 'reason' | 'operator' | 'orderedAt'>,
): Promise<void> {
  await tx.run(
    'order.insert',
    'insert into ledger.revocation_order (id, field, value, reason, operator, ordered_at) values ($1, $2, $3, $4, $5, $6)',
    [id, selector.field, selector.value, reason, operator, orderedAt],
  );
  await tx.run('order.wake', `select pg_notify('${CHANNELS.order}', $1)`, [id]);
}

/** Selectors of orders that let nobody in. Whoever asks holds them off until its transaction ends: what it writes will be found by them. */
export const ordersInForce = (tx: Sql): Promise<Selector[]> =>
  tx.run<Selector & object>('order.in_force', 'select field, value from ledger.orders_in_force()');

/** One order. */
export async function findOrder(sql: Sql, id: OrderId): Promise<RevocationOrder | undefined> {
  const [row] = await sql.run('order.by_id', `select ${ORDER} from ledger.revocation_order where id = $1`, [id]);
  return row && readOrder(row);
}

/** The newest orders, newest first. */
export async function listOrders(sql: Sql, limit: number): Promise<RevocationOrder[]> {
  const rows = await sql.run('order.list', `select ${ORDER} from ledger.revocation_order order by ordered_at desc, id desc limit $1`, [
    limit,
  ]);
  return rows.map(readOrder);
}

/** Orders that are not dark, oldest first. */
export async function openOrders(sql: Sql, limit: number): Promise<RevocationOrder[]> {
  const rows = await sql.run(
    'order.open',
    `select ${ORDER} from ledger.revocation_order where state <> 'dark' order by ordered_at limit $1`,
    [limit],
  );
  return rows.map(readOrder);
}

/** An order that nobody else is at, locked until the transaction ends. */
export async function takeOrder(tx: Sql, id: OrderId): Promise<RevocationOrder | undefined> {
  const [row] = await tx.run('order.take', `select ${ORDER} from ledger.revocation_order where id = $1 for update skip locked`, [id]);
  return row && readOrder(row);
}

/** How many live grants a selector means, their sub-tasks included, and the tasks of some of them, newest first. */
export async function countSelected(sql: Sql, { field, value }: Selector, most: number): Promise<{ count: number; tasks: string[] }> {
  const rows = await sql.run<{ task: string; count: number }>(
    '',
    `with recursive tree as (
       select g.id from ledger.task_grant g where ${LIVE} and ${CONDITIONS[field]('$1')}
       union
       select g.id from ledger.task_grant g join tree on g.parent_grant_id = tree.id where ${LIVE}
     )
     select g.task_id as task, (count(*) over ())::int as count from ledger.task_grant g join tree using (id) order by g.opened_at desc, g.id desc limit $2`,
    [value, most],
  );
  return { count: rows[0]?.count ?? 0, tasks: rows.map(({ task }) => task) };
}

/** Live grants that a selector means, locked in the one order in which all lock them. What is ended is not found again. */
export async function lockSelected(tx: Sql, { field, value }: Selector, limit: number): Promise<Grant[]> {
  const rows = await tx.run(
    '',
    `select ${selectList(GRANT, 'g')} from ledger.task_grant g where ${LIVE} and ${CONDITIONS[field]('$1')} order by g.id limit $2 for update of g`,
    [value, limit],
  );
  return rows.map(readGrant);
}

/**
 * Looks which admissions are under way that may not have seen the order. Asked before what is live is looked for: an admission that is
 * gone by now has written what is found then.
 * @returns those that were there when it was asked first, and still are
 */
export async function admissionsUnderWay(tx: Sql, { id, underWay }: Pick<RevocationOrder, 'id' | 'underWay'>): Promise<readonly string[]> {
  const rows = await tx.run<{ transaction: string }>(
    'order.under_way',
    `select virtualtransaction as transaction from pg_locks
     where locktype = 'advisory' and classid = 0 and objid = $1 and objsubid = 1 and mode = 'ShareLock' and granted
       and database = (select oid from pg_database where datname = current_database())`,
    [ADMISSION_LOCK],
  );
  const now = rows.map(({ transaction }) => transaction);
  const left = underWay ? underWay.filter((one) => now.includes(one)) : now;
  await tx.run('order.note_under_way', 'update ledger.revocation_order set under_way = $2 where id = $1', [id, left]);
  return left;
}

/** Notes grants, and their sub-tasks that are not long over, as those that an order has to see dead. */
export async function noteOrderGrants(
  tx: Sql,
  { id, orderedAt }: Pick<RevocationOrder, 'id' | 'orderedAt'>,
  ids: readonly GrantId[],
): Promise<void> {
  await tx.run(
    '',
    `with recursive tree as (
       select g.id from ledger.task_grant g where g.id = any($2)
       union
       select g.id from ledger.task_grant g join tree on g.parent_grant_id = tree.id
     )
     insert into ledger.revocation_order_grant (order_id, grant_id, ended_by_order)
     select $1, g.id, true from ledger.task_grant g join tree using (id) where g.state <> 'closed' or g.closed_at >= $3
     on conflict do nothing`,
    [id, ids, orderedAt],
  );
}

/** Notes what was ending before the order came: it has to be seen dead too. */
export async function noteEndingBefore(
  tx: Sql,
  { id, selector: { field, value } }: Pick<RevocationOrder, 'id' | 'selector'>,
): Promise<void> {
  await tx.run(
    '',
    `with recursive tree as (
       select g.id from ledger.task_grant g where g.state = 'closing' and ${CONDITIONS[field]('$2')}
       union
       select g.id from ledger.task_grant g join tree on g.parent_grant_id = tree.id where g.state = 'closing'
     )
     insert into ledger.revocation_order_grant (order_id, grant_id, ended_by_order) select $1, id, false from tree on conflict do nothing`,
    [id, value],
  );
}

/** Everything that an order means is ended. */
export async function orderEnded(tx: Sql, id: OrderId, at: Date): Promise<void> {
  await tx.run('order.ended', `update ledger.revocation_order set state = 'ended', ended_at = $2 where id = $1 and state = 'ending'`, [
    id,
    at,
  ]);
}

/** Everything that an order means is over. False when somebody has said so already. */
export async function orderDark(tx: Sql, id: OrderId, at: Date): Promise<boolean> {
  const rows = await tx.run(
    'order.dark',
    `update ledger.revocation_order set state = 'dark', dark_at = $2 where id = $1 and state = 'ended' returning 1`,
    [id, at],
  );
  return rows.length > 0;
}

/** What has become of everything that an order means, by the ledger. */
export async function orderProgress(sql: Sql, id: OrderId): Promise<OrderProgress> {
  const [grants] = await sql.run<{ ended: number; before: number; closed: number; all: number; closedAt: Date | null }>(
    'order.grants',
    `select count(*) filter (where o.ended_by_order)::int as ended, count(*) filter (where not o.ended_by_order)::int as before,
            count(*) filter (where g.state = 'closed')::int as closed, count(*)::int as all, max(g.closed_at) as "closedAt"
     from ledger.revocation_order_grant o join ledger.task_grant g on g.id = o.grant_id where o.order_id = $1`,
    [id],
  );
  const kinds = await sql.run<{
    state: string;
    capability: string;
    shape: string;
    problem: string | null;
    leases: number;
    expiresAt: Date | null;
  }>(
    'order.leases',
    `select l.state, c.capability, c.spec ->> 'shape' as shape, case when l.state in ('revoking', 'stuck') then l.last_problem end as problem,
            count(*)::int as leases, max(l.expires_at) as "expiresAt"
     from ledger.revocation_order_grant o join ledger.lease l on l.grant_id = o.grant_id join ledger.credential c on c.grant_id = l.grant_id and c.name = l.name
       join ledger.revocation_order ro on ro.id = o.order_id
     where o.order_id = $1 and (l.confirmed_at is null or l.confirmed_at >= ro.ordered_at) and l.state <> 'failed'
     group by 1, 2, 3, 4 order by leases desc`,
    [id],
  );
  const isOpen = (state: string): boolean => !['revoked', 'expired', 'access_ended'].includes(state);
  const sum = (count: (state: string) => boolean): number =>
    kinds.filter(({ state }) => count(state)).reduce((all, { leases }) => all + leases, 0);
  const { ended = 0, before = 0, closed = 0, all = 0, closedAt } = grants ?? {};
  return {
    ended,
    endingBefore: before,
    grantsClosed: closed,
    leases: sum(() => true),
    leasesDead: sum((state) => !isOpen(state) && state !== 'access_ended'),
    leasesAccessEnded: sum((state) => state === 'access_ended'),
    leasesOpen: sum((state) => isOpen(state) && state !== 'stuck'),
    leasesStuck: sum((state) => state === 'stuck'),
    ...(closed === all && closedAt && { closedAt }),
    problems: kinds
      .filter(({ state }) => isOpen(state))
      .map(({ state, capability, shape, problem, leases, expiresAt }) => ({
        capability,
        shape,
        state,
        leases,
        ...(problem !== null && { problem }),
        ...(expiresAt && { expiresAt }),
      })),
  };
}
