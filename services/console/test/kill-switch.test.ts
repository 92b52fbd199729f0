import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock, newGrantId, newLeaseRef, newOrderId, plusSeconds, taskId } from '@mayfly/domain';
import { SELECTOR_FIELDS, selects, type Selector } from '@mayfly/grant';
import {
  findGrantByTask,
  insertCredentials,
  insertGrant,
  insertOrder,
  intendLease,
  leasesOf,
  openDatabase,
  ordersInForce,
  readTaskEntries,
  transitionGrant,
  transitionLease,
  type Sql,
} from '@mayfly/store';
import { AT, capability, granted, task } from '../../../libs/store/test/ledger.js';
import { KillSwitch } from '../src/kill-switch.js';
import { many, revoke, startConsole, type Console } from './world.js';

const clock = new ManualClock(AT);
let world: Console;
beforeAll(async () => {
  world = await startConsole({ clock });
}, 60_000);
afterAll(() => world?.close());
beforeEach(() => world.database.run('', 'truncate ledger.task_grant, ledger.credential, ledger.lease, ledger.revocation_order cascade'));

const workflow = { name: 'to-be-killed' };
const live = (changes: object = {}) => granted(world.database, { start: task({ workflow, ...changes }) });
const stateOf = async (id: string) => (await findGrantByTask(world.database, id))?.state;
const killed = async (selector: object = { workflow: workflow.name }) =>
  (await world.call(revoke(selector, { dryRun: false, reason: 'leaked' }), 'operator')).body;
const view = async (id: string) => (await world.call({ path: `revocations/${id}` }, 'viewer')).body;
/** What the revoker does in the end. */
async function dies({ grant, lease }: Awaited<ReturnType<typeof live>>, at: Date): Promise<void> {
  await transitionLease(world.database, lease.ref, 'revoking', 'revoked', { confirmedAt: at });
  await transitionGrant(world.database, grant.id, 'closing', 'closed', { closedAt: at });
}
const facts = async (kind: string): Promise<any[]> =>
  (
    await world.database.run<{ data: any }>(
      '',
      `select fact -> 'data' as data from evidence.intake where fact ->> 'kind' = $1 order by id`,
      [`dev.mayfly.evidence.${kind}.v1`],
    )
  ).map(({ data }) => data);

describe('an order', () => {
  test('says when the last credential was confirmed dead, and not before', async () => {
    const [one, two] = [await live(), await live()];
    const order = await killed();
    expect(order).toMatchObject({
      state: 'ended',
      ended: 2,
      leases: { all: 2, dead: 0, open: 2, stuck: 0 },
      operator: 'person-operator',
      reason: 'leaked',
    });
    await dies(one, plusSeconds(AT, 2));
    await world.killSwitch.goOn();
    expect(await view(order['id'])).toMatchObject({ state: 'ended', leases: { dead: 1, open: 1 } });
    await dies(two, plusSeconds(AT, 3.5));
    await world.killSwitch.goOn();
    expect(await view(order['id'])).toMatchObject({
      state: 'dark',
      darkAt: plusSeconds(AT, 3.5).toISOString(),
      secondsToDark: 3.5,
      problems: [],
    });
    expect(await world.killSwitch.goOn()).toBe(0);
    expect((await facts('revocation-ordered')).at(-1)).toEqual({
      orderId: order['id'],
      selector: { workflow: workflow.name },
      reason: 'leaked',
      operator: 'person-operator',
    });
    expect((await facts('revocation-dark')).filter(({ orderId }) => orderId === order['id'])).toEqual([
      expect.objectContaining({ ended: 2, leases: 2, secondsToDark: 3.5 }),
    ]);
    expect((await world.call({ path: 'revocations' }, 'viewer')).body['revocations'][0]).toMatchObject({ id: order['id'], state: 'dark' });
  });

  test('names what resists, and until when it lives at the latest', async () => {
    const { lease } = await live();
    const order = await killed();
    await transitionLease(world.database, lease.ref, 'revoking', 'stuck', {
      lastProblem: 'target-unavailable',
      expiresAt: plusSeconds(AT, 900),
    });
    expect(await view(order['id'])).toMatchObject({
      state: 'ended',
      leases: { stuck: 1, open: 0, dead: 0 },
      problems: [
        {
          capability: 'orders-db.read',
          state: 'stuck',
          problem: 'target-unavailable',
          leases: 1,
          expiresAt: plusSeconds(AT, 900).toISOString(),
        },
      ],
    });
  });

  test('does not call dead what nobody can revoke: access to it has ended, and no more', async () => {
    const [one, two] = [await live(), await live()];
    const order = await killed();
    await dies(one, plusSeconds(AT, 1));
    await transitionLease(world.database, two.lease.ref, 'revoking', 'access_ended', { confirmedAt: plusSeconds(AT, 2) });
    await transitionGrant(world.database, two.grant.id, 'closing', 'closed', { closedAt: plusSeconds(AT, 2) });
    await world.killSwitch.goOn();
    expect(await view(order['id'])).toMatchObject({ state: 'dark', leases: { all: 2, dead: 1, accessEnded: 1, open: 0, stuck: 0 } });
    expect((await facts('revocation-dark')).at(-1)).toMatchObject({ orderId: order['id'], leases: 1, accessEnded: 1 });
  });

  test('waits also for what was ending before it, but does not say that it ended that', async () => {
    const before = await live();
    await transitionGrant(world.database, before.grant.id, 'granted', 'closing', { endCause: 'task_ended' });
    await transitionLease(world.database, before.lease.ref, 'active', 'revoking', { cause: 'task_ended' });
    const order = await killed();
    expect(order).toMatchObject({ ended: 0, count: 0, endingBefore: 1, leases: { open: 1 } });
    await world.killSwitch.goOn();
    expect((await view(order['id']))['state']).toBe('ended');
    await dies(before, plusSeconds(AT, 1));
    await world.killSwitch.goOn();
    expect((await view(order['id']))['state']).toBe('dark');
  });

  test('that nothing matches is dark at once', async () => {
    const order = await killed({ agent: 'nobody' });
    await world.killSwitch.goOn();
    expect(await view(order['id'])).toMatchObject({ state: 'dark', secondsToDark: 0, ended: 0 });
  });

  test('takes sub-tasks along, whoever does them, and a dry run counts them', async () => {
    const parent = await live();
    const child = await granted(world.database, {
      start: task({ workflow: { name: 'other' } }),
      parentGrantId: parent.grant.id,
      delegationDepth: 1,
    });
    expect((await world.call(revoke({ workflow: workflow.name }))).body).toMatchObject({ count: 2 });
    const order = await killed();
    expect(order).toMatchObject({ ended: 2, leases: { all: 2 } });
    expect(await findGrantByTask(world.database, child.grant.taskId)).toMatchObject({ state: 'closing', endCause: 'parent_ended' });
  });

  test('ends what is not decided yet, and leaves alone who was denied what it names', async () => {
    const pending = async (permitted: boolean, state: 'requested' | 'granted') => {
      const start = task({ workflow });
      const id = newGrantId();
      await insertGrant(world.database, {
        id,
        taskId: start.taskId,
        tenant: 'default',
        source: 's',
        state: 'requested',
        request: start,
        agentId: 'a',
        risk: 0,
        openedAt: AT,
      });
      const spec = capability({ name: 'orders-db.owner' });
      await insertCredentials(world.database, [
        {
          grantId: id,
          name: 'owner',
          capability: spec.name,
          ...(permitted && { spec }),
          permitted,
          decisionId: 'd',
          policyDigest: 'p',
          reasons: [],
          policies: [],
          fetches: 0,
        },
      ]);
      if (state === 'granted') await transitionGrant(world.database, id, 'requested', 'granted');
      return start.taskId;
    };
    const [undecided, denied, held] = [await pending(false, 'requested'), await pending(false, 'granted'), await pending(true, 'granted')];
    await killed({ capability: 'orders-db.owner' });
    expect([await stateOf(undecided), await stateOf(denied), await stateOf(held)]).toEqual(['closed', 'granted', 'closing']);
  });
});

describe('a console that dies', () => {
  test('right after the order was written leaves it to any other: page by page, by two at once, each task once', async () => {
    const tasks = await many(230, () => live());
    const order = {
      id: newOrderId(),
      selector: { field: 'workflow', value: workflow.name } as const,
      reason: 'crash',
      operator: 'o',
      orderedAt: AT,
    };
    await world.database.transaction('test', (tx) => insertOrder(tx, order));
    const other = openDatabase({ url: world.ledger.url, applicationName: 'other' });
    const replicas = [world.killSwitch, new KillSwitch({ database: other, clock })];
    for (let left = true; left;) left = (await Promise.all(replicas.map((each) => each.goOn()))).some((count) => count > 0);
    await other.close();
    expect(await view(order.id)).toMatchObject({ state: 'ended', ended: 230, leases: { all: 230, open: 230 } });
    for (const { grant } of [tasks[0]!, tasks[120]!, tasks[229]!]) {
      expect(await leasesOf(world.database, grant.id)).toMatchObject([{ state: 'revoking', cause: 'operator' }]);
      expect((await readTaskEntries(world.database, grant.taskId)).filter(({ kind }) => kind.endsWith('operator-revoked.v1'))).toHaveLength(
        1,
      );
    }
    expect((await facts('operator-revoked')).filter(({ orderId }) => orderId === order.id)).toHaveLength(230);
  });

  test('in the middle leaves the rest to any other', async () => {
    await many(150, () => live());
    let transactions = 0;
    const dying = {
      ...world.database,
      transaction: (summary: string, work: (tx: Sql) => Promise<never>) => {
        if ((transactions += 1) > 2) throw new Error('killed');
        return world.database.transaction(summary, work);
      },
    };
    const selector: Selector = { field: 'workflow', value: workflow.name };
    await expect(new KillSwitch({ database: dying as never, clock }).order(selector, 'r', 'o')).rejects.toThrow('killed');
    const [row] = await world.database.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.task_grant where state = 'granted'`,
    );
    expect(row?.count).toBe(50);
    while ((await world.killSwitch.goOn()) > 0);
    const [order] = (await world.call({ path: 'revocations' })).body['revocations'];
    expect(order).toMatchObject({ state: 'ended', ended: 150 });
  });
});

describe('a start that races with an order', () => {
  /** Admits a task as the issuer does: asks for orders first, writes last. */
  async function admission() {
    const start = task({ workflow });
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<readonly Selector[]>();
    const written = world.database.transaction('admit', async (tx) => {
      asked.resolve(await ordersInForce(tx));
      await gate.promise;
      const id = newGrantId();
      await insertGrant(tx, {
        id,
        taskId: start.taskId,
        tenant: 'default',
        source: 's',
        state: 'requested',
        request: start,
        agentId: 'a',
        risk: 0,
        openedAt: AT,
      });
      const spec = capability();
      await insertCredentials(tx, [
        {
          grantId: id,
          name: 'orders',
          capability: spec.name,
          spec,
          permitted: true,
          decisionId: 'd',
          policyDigest: 'p',
          reasons: [],
          policies: [],
          fetches: 0,
        },
      ]);
      await transitionGrant(tx, id, 'requested', 'granted');
      await intendLease(tx, { ref: newLeaseRef(), grantId: id, name: 'orders', minter: 'issuer', intendedAt: AT });
    });
    return { taskId: start.taskId, saw: await asked.promise, finish: () => (gate.resolve(), written) };
  }

  test('and did not see it is waited for, and ended', async () => {
    const racing = await admission();
    expect(racing.saw).toEqual([]);
    const ordered = killed();
    const [open] = await untilSome(() =>
      world.database.run<{ id: string }>('', `select id from ledger.revocation_order where under_way <> '{}'`),
    );
    await world.killSwitch.goOn();
    expect(await view(open!.id)).toMatchObject({ state: 'ending' });
    const later = await admission();
    expect(later.saw).toEqual([{ field: 'workflow', value: workflow.name }]);
    await racing.finish();
    expect(await ordered).toMatchObject({ state: 'ended', ended: 1 });
    expect(await stateOf(racing.taskId)).toBe('closing');
    await later.finish();
  });

  test('is not held up once the order is carried out', async () => {
    await killed();
    const after = await admission();
    expect(after.saw).toEqual([]);
    await after.finish();
  });
});

test('whom a selector means is said alike about a start and about the ledger', async () => {
  const start = task({ taskId: taskId('t-1'), workflow: { name: 'w' }, agent: { id: 'a' }, initiator: { id: 'i', kind: 'human' } });
  await granted(world.database, { start, tenant: 'x' });
  const values = { taskId: 't-1', agent: 'a', initiator: 'i', capability: 'orders-db.read', workflow: 'w', tenant: 'x' };
  for (const field of SELECTOR_FIELDS) {
    for (const [value, is] of [[values[field], true] as const, ['another', false] as const]) {
      expect([field, selects({ field, value }, start, 'x')]).toEqual([field, is]);
      expect([field, (await world.call(revoke({ [field]: value }))).body['count']]).toEqual([field, is ? 1 : 0]);
    }
  }
});

test('an id that is none is refused, one that nobody knows is not found', async () => {
  expect(await world.call({ path: 'revocations/x' })).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  expect(await world.call({ path: `revocations/${newOrderId()}` })).toMatchObject({ status: 404, body: { code: 'unknown-order' } });
});

async function untilSome<T>(look: () => Promise<T[]>): Promise<T[]> {
  for (;;) {
    const found = await look();
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
