import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

// Bad events, row by row: test/suites/02-nothing-outlives/07-bad-events.test.ts.
describe('events', () => {
  test('neighbours of poison on the same key order go on', async () => {
    const good = await world.start('orders-db.read');
    await world.event(good, 'credential.issued');
    for (let i = 0; i < 20; i += 1) await world.produce({ key: good, value: 'poison', headers: {} });
    await world.produce({ key: good, value: null, headers: {} }); // a tombstone means nothing here
    await world.end(good);
    await world.event(good, 'grant.closed');
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
