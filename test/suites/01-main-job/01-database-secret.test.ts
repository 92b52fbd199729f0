import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until, World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

describe('a database secret', () => {
  test('works at PostgreSQL while its task lives, and dies with it, open session included', async () => {
    const taskId = await world.start('orders-db.read');
    const secret = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    expect(secret.capability).toBe('orders-db.read');
    expect(Object.keys(secret.data).sort()).toEqual(['database', 'host', 'password', 'port', 'username']);

    const session = world.login(secret.data);
    const [row] = await session.run<{ count: number }>('', 'select count(*)::int as count from orders');
    expect(row?.count).toBeGreaterThan(0);
    await expect(session.run('', 'delete from orders')).rejects.toThrow(/permission denied/);

    await world.end(taskId);
    const revoked = await world.event(taskId, 'credential.revoked');
    // Proven at the target, not by our own word.
    expect(await world.isRefused(secret.data)).toBe(true);
    await expect(session.run('', 'select 1')).rejects.toBeDefined();
    await session.close();

    expect(revoked.data).toMatchObject({
      taskId,
      tenant: 'default',
      agent: 'spiffe://example.org/agent/etl',
      credential: 'orders-db',
      capability: 'orders-db.read',
      cause: 'task_ended',
      shape: 'revocable',
      leaseRef: secret.leaseRef,
      proof: { lease: 'vault: invalid lease', token: 'vault: invalid accessor', target: 'postgres: 0 login roles, 0 open sessions' },
    });
    expect(new Date(revoked.data['confirmedAt']).getTime()).toBeGreaterThanOrEqual(new Date(revoked.data['requestedAt']).getTime());
    await world.event(taskId, 'grant.closed', ({ data }) => data['credentials'][0].leases[0].ended === 'revoked');
    expect(await world.ask(`/v1/tasks/${taskId}/secrets/orders-db`)).toMatchObject({
      status: 410,
      body: { code: 'task-closed', type: 'urn:mayfly:problem:task-closed' },
    });
  });

  test('can write only when the plan says so, and is not minted before it is fetched', async () => {
    const plan = [{ tool: 'sql.execute', action: 'write', resource: 'orders' }];
    const taskId = await world.start('orders-db.write', { data: { intent: { purpose: 'write', plan } } });
    await world.event(taskId, 'grant.issued');
    expect((await world.agent().task(taskId)).credentials).toMatchObject([{ name: 'orders-db', state: 'available' }]);
    const secret = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    const session = world.login(secret.data);
    await session.run('', 'update orders set amount = amount where false');
    await session.close();
    await world.end(taskId);
    await world.event(taskId, 'credential.revoked');
    expect(await world.isRefused(secret.data)).toBe(true);

    const without = await world.start('orders-db.write');
    await world.event(without, 'grant.denied');
    expect(await world.ask(`/v1/tasks/${without}/secrets/orders-db`)).toMatchObject({
      status: 403,
      body: { code: 'denied', decisionId: expect.stringMatching(/^d/) },
    });
    await world.end(without);
  });

  test('dies although its agent holds on to its own role in a transaction that it leaves open, and holds nobody else up', async () => {
    const [greedy, victim] = [await world.start('orders-db.read'), await world.start('orders-db.read')];
    const held = await world.agent().secret(greedy, 'orders-db', { waitSeconds: 15 });
    const other = await world.agent().secret(victim, 'orders-db', { waitSeconds: 15 });
    const session = world.login(held.data);
    let holds: () => void = () => undefined;
    const holdsNow = new Promise<void>((done) => (holds = done));
    const holding = session.transaction('hold', async (tx) => {
      await tx.run('', `alter role current_user password 'mine-for-ever'`);
      holds();
      await tx.run('', 'select pg_sleep(14)');
    });
    const thrownOut = expect(holding).rejects.toBeDefined();
    await holdsNow;
    await world.end(greedy);
    await world.end(victim);
    await world.event(greedy, 'credential.revoked');
    await world.event(victim, 'credential.revoked');
    await thrownOut;
    await session.close();
    for (const data of [held.data, { ...held.data, password: 'mine-for-ever' }, other.data]) expect(await world.isRefused(data)).toBe(true);
    const elsewhere = world.login({ ...held.data, database: 'postgres' });
    await expect(elsewhere.run('', 'select 1')).rejects.toBeDefined();
    await elsewhere.close();
  }, 60_000);

  test('may be asked for before its start was processed, and is never cached', async () => {
    const taskId = world.newTaskId('early');
    const early = world.ask(`/v1/tasks/${taskId}/secrets/orders-db?wait=20s`);
    await world.start('orders-db.read', { taskId });
    const answer = await early;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ taskId, name: 'orders-db', capability: 'orders-db.read', leaseRef: expect.stringMatching(/^l/) });
    await world.end(taskId);
  });

  test('works with an event in binary mode, and a heartbeat is taken by HTTP', async () => {
    const taskId = await world.start('orders-db.read', { binary: true });
    await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    expect((await world.ask(`/v1/tasks/${taskId}/heartbeat`, { method: 'POST' })).status).toBe(204);
    await world.end(taskId, { binary: true });
    await world.event(taskId, 'credential.revoked');
    await until('heartbeats of an ended task are refused', async () =>
      (await world.ask(`/v1/tasks/${taskId}/heartbeat`, { method: 'POST' })).status === 410 ? true : undefined,
    );
  });
});
