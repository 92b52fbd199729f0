import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { etlTask, SOURCE, World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };
const started = (taskId: string, data: Readonly<Record<string, unknown>>, attributes: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    specversion: '1.0',
    id: `bad-${taskId}`,
    source: SOURCE,
    type: 'dev.mayfly.task.started.v1',
    data: { ...etlTask(taskId), credentials: [{ name: 'a', capability: 'orders-db.read' }], ...data },
    ...attributes,
  });

describe('events', () => {
  const many = Array.from({ length: 33 }, (_, i) => ({ name: `c${i}`, capability: 'orders-db.read' }));
  const cases: readonly (readonly [name: string, value: (taskId: string) => string | Buffer, reason: string])[] = [
    ['not JSON', () => 'this is not json', 'not-json'],
    ['bytes that are not UTF-8', () => Buffer.from([0xff, 0xfe, 0x7b]), 'invalid-encoding'],
    ['wrong types', (taskId) => started(taskId, { credentials: 'all' }), 'invalid-data'],
    ['33 credentials', (taskId) => started(taskId, { credentials: many }), 'invalid-data'],
    [
      'two credentials of one name',
      (taskId) => started(taskId, { credentials: many.slice(0, 2).map((each) => ({ ...each, name: 'x' })) }),
      'invalid-data',
    ],
    ['no purpose', (taskId) => started(taskId, { intent: {} }), 'invalid-data'],
    [
      'a ttl of 0',
      (taskId) => started(taskId, { credentials: [{ name: 'a', capability: 'orders-db.read', ttlSeconds: 0 }] }),
      'invalid-data',
    ],
    ['a risk of 101', (taskId) => started(taskId, { risk: 101 }), 'invalid-data'],
    ['a source that nobody registered', (taskId) => started(taskId, {}, { source: 'urn:somebody:else' }), 'unregistered-source'],
    ['an unknown type', (taskId) => started(taskId, {}, { type: 'dev.mayfly.task.paused.v1' }), 'unknown-type'],
    ['another specversion', (taskId) => started(taskId, {}, { specversion: '0.3' }), 'unsupported-specversion'],
    ['no id', (taskId) => started(taskId, {}, { id: undefined }), 'invalid-cloudevent'],
    ['a key twice', (taskId) => started(taskId, {}).replace('"risk":12', '"risk":12,"risk":1'), 'duplicate-keys'],
    ['a reach for the prototype', (taskId) => started(taskId, {}).replace('"risk":12', '"risk":12,"__proto__":{"x":1}'), 'forbidden-keys'],
    ['an id that climbs', (taskId) => started(taskId, { taskId: '../../etc' }), 'invalid-task-id'],
    ['an id with control characters', (taskId) => started(taskId, { taskId: 'a\u0007b\nc' }), 'invalid-task-id'],
    ['a key that is not the task id', (taskId) => started(`${taskId}-other`, {}), 'key-mismatch'],
    ['an event from 1970', (taskId) => started(taskId, {}, { time: '1970-01-01T00:00:00Z' }), 'time-out-of-window'],
    ['more than 256 KiB', (taskId) => started(taskId, { intent: { purpose: 'x'.repeat(300_000) } }), 'event-too-large'],
  ];

  test.each(cases)('%s is parked untouched, and the next good event is processed at once', async (_name, value, reason) => {
    const key = world.newTaskId('bad');
    const bytes = Buffer.from(value(key) as string);
    await world.produce({ key, value: bytes, headers: STRUCTURED });
    const letter = await world.deadLetter(key);
    expect(letter.headers['mayfly-reason']).toBe(reason);
    expect(letter.value.equals(bytes)).toBe(true);
    expect(letter.headers['content-type']).toBe(STRUCTURED['content-type']);
    expect(letter.headers['mayfly-origin']).toMatch(/^mayfly\.tasks\/\d+\/\d+$/);
    expect(letter.headers['mayfly-detail']).toBeTruthy();
    expect(world.eventsOf(key)).toEqual([]);
  });

  test('neighbours of poison on the same key order go on', async () => {
    const good = await world.start('orders-db.read');
    await world.event(good, 'credential.issued');
    for (let i = 0; i < 20; i += 1) await world.produce({ key: good, value: 'poison', headers: {} });
    await world.produce({ key: good, value: null, headers: {} }); // a tombstone means nothing here
    await world.end(good);
    await world.event(good, 'grant.closed');
  });

  test('an event that contradicts one with the same source and id is parked', async () => {
    const taskId = world.newTaskId('conflict');
    await world.start('orders-db.read', { taskId, id: `c-${taskId}` });
    await world.event(taskId, 'credential.issued');
    await world.start(['orders-db.read', 'service.cert'], { taskId, id: `c-${taskId}` });
    await world.deadLetter(taskId, 'event-conflict');
    await world.end(taskId);
  });

  test('only the orchestrator that started a task may end it', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    await world.end(taskId, { source: 'urn:somebody:else' });
    await world.deadLetter(taskId, 'unregistered-source');
    expect((await world.agent().task(taskId)).state).toBe('granted');
    await world.end(taskId);
  });
});

describe('requests', () => {
  test.each([
    ['an id with control characters', '/v1/tasks/a%00b', 400, 'invalid-request'],
    ['an id that climbs', '/v1/tasks/..%2F..%2Fetc', 400, 'invalid-request'],
    ['an id of 201 characters', `/v1/tasks/${'x'.repeat(201)}`, 400, 'invalid-request'],
    ['a wait that is none', '/v1/tasks/t/secrets/a?wait=forever', 400, 'invalid-request'],
    ['a name that is none', '/v1/tasks/t/secrets/a%20b', 400, 'invalid-request'],
    ['a route that is none', '/v1/nothing', 404, 'no-such-route'],
    ['an unknown task', '/v1/tasks/never-heard-of', 404, 'task-not-found'],
  ])('%s', async (_name, path, status, code) => {
    const answer = await world.ask(path);
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      type: `urn:mayfly:problem:${code}`,
      status,
      title: expect.any(String),
      detail: expect.any(String),
    });
  });

  test('a body that is wrong releases nothing', async () => {
    const taskId = await world.start('orders-db.read');
    await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    for (const body of ['{"names": "all"}', '{"all": true}', '[', '{"names": ["nothing"]}', '[]', '["orders-db"]']) {
      expect((await world.ask(`/v1/tasks/${taskId}/release`, { method: 'POST', body })).status).toBe(400);
    }
    expect(
      (
        await fetch(`${world.dev.delivery.url}/v1/tasks/${taskId}/secrets/orders-db`, {
          method: 'HEAD',
          headers: { authorization: `Bearer ${await world.agentToken()}` },
        })
      ).status,
    ).toBe(400);
    expect((await world.agent().task(taskId)).credentials).toMatchObject([{ state: 'active' }]);
    expect((await world.ask(`/V1/tasks/${taskId}`)).status).toBe(404);
    await world.end(taskId);
  });

  test('no bearer, two bearers, or one in the query prove nothing', async () => {
    const url = `${world.dev.delivery.url}/v1/tasks/t`;
    const token = await world.agentToken();
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(`${url}?access_token=${token}`)).status).toBe(401);
  });
});
