import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until, World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

/** A later task on the same key order: when it is through, the earlier records are too. */
const passed = async (): Promise<void> => {
  const marker = await world.start('orders-db.read');
  await world.event(marker, 'credential.issued');
  await world.end(marker);
};

test('[bad 15] [bad 16] an end before its start closes the task for ever: that start mints nothing and is parked', async () => {
  const taskId = world.newTaskId('endfirst');
  await world.end(taskId);
  await until('the end was taken in', async () =>
    (await world.operate(`/v1/tasks/${taskId}/timeline`)).status === 200 ? true : undefined,
  );
  await world.start('orders-db.read', { taskId });
  const letter = await world.deadLetter(taskId, 'task-ended');
  expect(JSON.parse(letter.value.toString())).toMatchObject({ type: 'dev.mayfly.task.started.v1', data: { taskId } });
  expect(world.eventsOf(taskId, 'credential.issued')).toEqual([]);
  const answer = await world.ask(`/v1/tasks/${taskId}/secrets/orders-db`);
  expect(answer.status).toBe(404);
});

test('[bad 11] the same start many times mints once', async () => {
  const taskId = world.newTaskId('twice');
  await Promise.all([1, 2, 3, 4, 5].map(() => world.start('orders-db.read', { taskId, id: `same-${taskId}` })));
  await world.start('orders-db.read', { taskId }); // the same content under another event id
  await world.event(taskId, 'credential.issued');
  await passed();
  expect(world.eventsOf(taskId, 'credential.issued')).toHaveLength(1);
  expect(world.eventsOf(taskId, 'grant.issued')).toHaveLength(1);
  await world.end(taskId);
});

test('another start under the same task id mints nothing and is parked', async () => {
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  await world.start(['orders-db.read', { name: 'more', capability: 'service.cert' }], { taskId });
  await world.deadLetter(taskId, 'task-conflict');
  expect((await world.agent().task(taskId)).credentials).toHaveLength(1);
  await world.end(taskId);
});

test('a replay after the end mints nothing and is parked; a second end changes nothing', async () => {
  const taskId = world.newTaskId('replay');
  await world.start('orders-db.read', { taskId, id: `replay-${taskId}` });
  await world.event(taskId, 'credential.issued');
  await world.end(taskId);
  await world.event(taskId, 'grant.closed');
  await world.start('orders-db.read', { taskId, id: `replay-${taskId}` });
  await world.deadLetter(taskId, 'task-ended');
  await world.end(taskId);
  await passed();
  expect(world.eventsOf(taskId, 'credential.issued')).toHaveLength(1);
  expect(world.eventsOf(taskId, 'credential.revoked')).toHaveLength(1);
  expect(world.eventsOf(taskId, 'grant.closed')).toHaveLength(1);
});

test('an end right behind its start leaves nothing alive, however they interleave', async () => {
  const tasks = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const taskId = await world.start('orders-db.read');
      await world.end(taskId);
      return taskId;
    }),
  );
  for (const taskId of tasks) {
    // Either the end came first and its start was parked, or the grant was opened and is closed again.
    const parked = world.deadLetter(taskId, 'task-ended').then(() => 'parked');
    const closed = world.event(taskId, 'grant.closed').then(() => 'closed');
    parked.catch(() => undefined);
    closed.catch(() => undefined);
    await Promise.any([parked, closed]);
    if (world.eventsOf(taskId, 'credential.issued').length > 0) await world.event(taskId, 'credential.revoked');
  }
});
