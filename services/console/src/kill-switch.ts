/**
 * The kill switch: an order is written down, then carried out by whoever finds it, then watched until the last credential is over.
 * @module
 */
import { MayflyError, newOrderId, type Clock, type OrderId } from '@mayfly/domain';
import type { Grant, Selector } from '@mayfly/grant';
import {
  admissionsUnderWay,
  countSelected,
  endGrants,
  findOrder,
  insertOrder,
  listOrders,
  lockSelected,
  noteEndingBefore,
  noteOrderGrants,
  openOrders,
  orderDark,
  orderEnded,
  orderProgress,
  stateFact,
  stateFacts,
  takeOrder,
  type Database,
  type OrderProgress,
  type RevocationOrder,
  type Sql,
} from '@mayfly/store';
import { counter, histogram, METRICS } from '@mayfly/telemetry';

/** Grants that are ended in one transaction. */
const PAGE = 100;
/** Tasks that an answer names. */
const MOST_TASKS = 1_000;
/** So long a caller waits for its order to be carried out; then somebody else goes on with it. */
const PATIENCE_MILLISECONDS = 10_000;
const PAUSE_MILLISECONDS = 25;
const ORDERS_AT_ONCE = 20;

const pages = counter(METRICS.orderPages);
const duration = histogram(METRICS.orderDuration);

/** No such kill switch. HTTP 404. */
export class UnknownOrder extends MayflyError {
  constructor() {
    super('unknown-order', 'no kill switch has this id; GET /v1/revocations lists them', 404, false);
  }
}

/** Ends what selectors mean. */
export class KillSwitch {
  constructor(private readonly on: { readonly database: Database; readonly clock: Clock }) {}

  /** Counts what would end. */
  async count(selector: Selector) {
    return { dryRun: true, ...(await countSelected(this.on.database, selector, MOST_TASKS)) };
  }

  /** Writes the order down and carries it out; where that takes long, {@link goOn} does the rest. */
  async order(selector: Selector, reason: string, operator: string) {
    const { database, clock } = this.on;
    const { tasks } = await countSelected(database, selector, MOST_TASKS);
    const order = { id: newOrderId(), selector, reason, operator, orderedAt: clock.now() };
    await database.transaction('order revocation', async (tx) => {
      await insertOrder(tx, order);
      const at = order.orderedAt.toISOString();
      const data = { orderId: order.id, selector: { [selector.field]: selector.value }, reason, operator };
      await stateFact(tx, { kind: 'dev.mayfly.evidence.revocation-ordered.v1', at, by: 'console', data });
    });
    const until = performance.now() + PATIENCE_MILLISECONDS;
    while (performance.now() < until && !(await this.#isEnded(order.id)))
      if (!(await this.#page(order.id))) await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    const view = await this.view(order.id);
    return { dryRun: false, count: view.ended, tasks: view.ended > 0 ? tasks : [], ...view };
  }

  /** How far an order is. @throws UnknownOrder */
  async view(id: OrderId) {
    const order = await findOrder(this.on.database, id);
    if (!order) throw new UnknownOrder();
    return viewOf(order, await orderProgress(this.on.database, id));
  }

  /** The newest orders, newest first. */
  async list(limit: number) {
    const orders = await listOrders(this.on.database, limit);
    return { revocations: await Promise.all(orders.map(async (order) => viewOf(order, await orderProgress(this.on.database, order.id)))) };
  }

  /** Goes on with whatever is not dark yet, once; returns how much was done. Meant to be called again and again, by every replica. */
  async goOn(): Promise<number> {
    let done = 0;
    for (const { id, state } of await openOrders(this.on.database, ORDERS_AT_ONCE))
      done += (await (state === 'ending' ? this.#page(id) : this.#darken(id))) ? 1 : 0;
    return done;
  }

  async #isEnded(id: OrderId): Promise<boolean> {
    return (await findOrder(this.on.database, id))?.state !== 'ending';
  }

  /** Ends one page, in one transaction. False when there was nothing to end, or another process is at it. */
  #page(id: OrderId): Promise<boolean> {
    const { database, clock } = this.on;
    return database.transaction('carry out revocation order', async (tx) => {
      const order = await takeOrder(tx, id);
      if (order?.state !== 'ending') return false;
      pages.add(1, {});
      if (!order.underWay) await noteEndingBefore(tx, order);
      // INVARIANT: asked before live grants are looked for. The other way round a task that was admitted in between would be missed.
      const underWay = await admissionsUnderWay(tx, order);
      const found = await lockSelected(tx, order.selector, PAGE);
      const at = clock.now();
      if (found.length > 0) {
        await end(tx, order, found, at);
        return true;
      }
      if (underWay.length === 0) await orderEnded(tx, id, at);
      return false;
    });
  }

  /** Says that an order is dark, once it is. */
  #darken(id: OrderId): Promise<boolean> {
    const { database, clock } = this.on;
    return database.transaction('revocation order is dark', async (tx) => {
      const order = await takeOrder(tx, id);
      if (order?.state !== 'ended') return false;
      const progress = await orderProgress(tx, id);
      const { ended, endingBefore, closedAt, leasesDead, leasesAccessEnded } = progress;
      if (ended + endingBefore > 0 && !closedAt) return false;
      const darkAt = closedAt && closedAt > order.orderedAt ? closedAt : order.orderedAt;
      if (!(await orderDark(tx, id, darkAt))) return false;
      const seconds = secondsBetween(order.orderedAt, darkAt);
      duration.record(seconds, {});
      await stateFact(tx, {
        kind: 'dev.mayfly.evidence.revocation-dark.v1',
        at: clock.now().toISOString(),
        by: 'console',
        data: {
          orderId: id,
          ended,
          endingBefore,
          leases: leasesDead,
          accessEnded: leasesAccessEnded,
          darkAt: darkAt.toISOString(),
          secondsToDark: seconds,
        },
      });
      return true;
    });
  }
}

async function end(tx: Sql, order: RevocationOrder, found: readonly Grant[], at: Date): Promise<void> {
  const { id: orderId, operator, reason } = order;
  const ended = await endGrants(
    tx,
    found.map((grant) => ({ grant, end: { cause: 'operator', by: 'console', at } })),
  );
  const theirs = found.filter((grant) => ended.has(grant.id));
  await noteOrderGrants(
    tx,
    order,
    found.map(({ id }) => id),
  );
  await stateFacts(
    tx,
    theirs.map(({ tenant, taskId }) => ({
      kind: 'dev.mayfly.evidence.operator-revoked.v1',
      at: at.toISOString(),
      tenant,
      taskId,
      by: 'console',
      data: { operator, reason, orderId },
    })),
  );
}

const secondsBetween = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 1000;

const viewOf = ({ id, selector, reason, operator, orderedAt, state, endedAt, darkAt }: RevocationOrder, progress: OrderProgress) => ({
  id,
  selector: { [selector.field]: selector.value },
  reason,
  operator,
  at: orderedAt,
  state,
  ended: progress.ended,
  endingBefore: progress.endingBefore,
  leases: {
    all: progress.leases,
    dead: progress.leasesDead,
    accessEnded: progress.leasesAccessEnded,
    open: progress.leasesOpen,
    stuck: progress.leasesStuck,
  },
  problems: progress.problems,
  ...(endedAt && { endedAt }),
  ...(darkAt && { darkAt, secondsToDark: secondsBetween(orderedAt, darkAt) }),
});
