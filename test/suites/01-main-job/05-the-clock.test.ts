import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

test('a lease dies when its time is over, while its task goes on and may fetch afresh', async () => {
  const taskId = await world.start([{ name: 'orders-db', capability: 'orders-db.read', ttlSeconds: 2 }]);
  const { data } = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ cause: 'expired' });
  expect(await world.isRefused(data)).toBe(true);
  const fresh = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  expect(await world.isRefused(fresh.data)).toBe(false);
  await world.end(taskId);
});

test('a task that nobody ends is over at its deadline', async () => {
  const taskId = await world.start('orders-db.read', { data: { deadline: new Date(Date.now() + 4_000).toISOString() } });
  const { data } = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  expect((await world.event(taskId, 'grant.closed')).data).toMatchObject({ reason: 'expired' });
  expect(await world.isRefused(data)).toBe(true);
  expect((await world.ask(`/v1/tasks/${taskId}/secrets/orders-db`)).status).toBe(410);
});

test('a sub-task gets no more than its parent, and dies with it', async () => {
  const parent = await world.start('orders-db.read');
  await world.event(parent, 'credential.issued');
  const child = await world.start(['orders-db.read', 'service.cert'], { data: { parentTaskId: parent } });
  expect((await world.event(child, 'grant.issued')).data['credentials']).toMatchObject([
    { decision: 'permit' },
    { decision: 'deny', reasons: ['exceeds-parent'] },
  ]);
  const { data } = await world.agent().secret(child, 'orders-db', { waitSeconds: 15 });
  await world.end(parent);
  expect((await world.event(child, 'credential.revoked')).data).toMatchObject({ cause: 'parent_ended' });
  expect(await world.isRefused(data)).toBe(true);
  const orphan = await world.start('orders-db.read', { data: { parentTaskId: parent } });
  expect((await world.event(orphan, 'grant.denied')).data).toMatchObject({ reason: 'parent-not-live' });
});
