import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { amendGrant, endGrant, lockGrant, readTaskEntries, transitionGrant } from '@mayfly/store';
import { serve, type Served } from '../../../libs/http/test/serve.js';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, granted, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { AccessController } from '../src/access/access.controller.js';
import { Evaluating } from '../src/access/evaluating.js';
import { Delivering } from '../src/delivering.js';
import { TasksController } from '../src/tasks.controller.js';
import { WorkloadProof } from '../src/workload-proof.js';
import { deliveryOn, ready } from './world.js';

let ledger: Ledger;
let world: ReturnType<typeof deliveryOn>;
let served: Served;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
  world = deliveryOn(ledger.database);
  served = await serve({
    controllers: [TasksController, AccessController],
    providers: [
      { provide: Delivering, useValue: world.delivering },
      { provide: Evaluating, useValue: world.evaluating },
      { provide: WorkloadProof, useValue: world.proof },
    ],
    health: { liveness: {}, readiness: { vault: () => world.vault.health() } },
  });
}, 60_000);
afterAll(async () => {
  await served?.close();
  await world?.close();
  await ledger?.stop();
});

async function call(method: string, path: string, { token = 'etl', body }: { token?: string | undefined; body?: unknown } = {}) {
  const response = await fetch(`${served.url}/v1/tasks/${path}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : undefined) as Record<string, unknown> };
}
const problem = async (answer: ReturnType<typeof call>) => {
  const { status, headers, body } = await answer;
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(body).toMatchObject({ status, type: `urn:mayfly:problem:${String(body['code'])}` });
  return { status, code: body['code'], retryAfter: headers.get('retry-after'), decisionId: body['decisionId'] };
};

describe('the routes of the contract', () => {
  test('GET a task: 200, without a secret', async () => {
    const { grant } = await ready(world);
    expect(await call('GET', grant.taskId)).toMatchObject({ status: 200, body: { taskId: grant.taskId, state: 'granted' } });
  });

  test('GET a secret: 200, and nobody keeps a copy on the way', async () => {
    const { grant, lease } = await ready(world);
    const { status, headers, body } = await call('GET', `${grant.taskId}/secrets/orders?wait=1s`);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(body).sort()).toEqual(['capability', 'data', 'expiresAt', 'leaseRef', 'name', 'taskId']);
    expect(served.lines.join()).not.toContain((body['data'] as { password: string }).password);
    expect(body['leaseRef']).toBe(lease.ref);
  });

  test('POST a heartbeat: 204', async () => {
    const { grant } = await ready(world);
    expect(await call('POST', `${grant.taskId}/heartbeat`)).toMatchObject({ status: 204, body: undefined });
  });

  test.each([undefined, {}, { names: [] }, { names: ['orders'] }])('POST a release with body %p: 202', async (body) => {
    const { grant } = await ready(world);
    expect(await call('POST', `${grant.taskId}/release`, { body })).toMatchObject({ status: 202 });
  });
});

describe('problems', () => {
  test('401 without a token that proves the caller, whatever is asked for', async () => {
    const { grant } = await ready(world);
    for (const token of ['', 'forged'])
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/secrets/orders'],
        ['POST', '/heartbeat'],
        ['POST', '/release'],
      ] as const)
        expect(await problem(call(method, `${grant.taskId}${path}`, { token }))).toMatchObject({ status: 401, code: 'invalid-token' });
  });

  test('404 for an unknown task, and for another workload’s: to the letter the same', async () => {
    const { grant } = await ready(world);
    const foreign = await call('GET', `${grant.taskId}/secrets/orders`, { token: 'reporter' });
    const unknown = await call('GET', 'unknown/secrets/orders', { token: 'reporter' });
    expect(foreign.status).toBe(404);
    expect(foreign.body).toEqual(unknown.body);
    // Written beside the answer, so that the answer takes no longer than for a task that nobody knows.
    let noted: Awaited<ReturnType<typeof readTaskEntries>> = [];
    while (noted.length === 0)
      noted = (await readTaskEntries(ledger.database, grant.taskId)).filter(({ kind }) => kind.endsWith('fetch-refused.v1'));
    expect(noted).toMatchObject([{ data: { agent: 'spiffe://example.org/agent/reporter', reason: 'task-not-found' } }]);
  });

  test('409 with Retry-After while the token is not made yet', async () => {
    const { grant } = await granted(ledger.database, { lease: false });
    expect(await problem(call('GET', `${grant.taskId}/secrets/orders`))).toMatchObject({ status: 409, code: 'not-ready', retryAfter: '1' });
  });

  test('403 with the decision’s id when policy says no', async () => {
    const { grant } = await ready(world);
    await amendGrant(ledger.database, grant.id, 'granted', { risk: 90 });
    expect(await problem(call('GET', `${grant.taskId}/secrets/orders`))).toMatchObject({
      status: 403,
      code: 'denied',
      decisionId: expect.stringMatching(/^d[a-z2-7]{20}$/),
    });
  });

  test('410 once the task has ended', async () => {
    const { grant } = await ready(world);
    await ledger.database.transaction('test', async (tx) => {
      await endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'revoker', at: AT });
    });
    expect(await problem(call('GET', `${grant.taskId}/secrets/orders`))).toMatchObject({ status: 410, code: 'task-closed' });
    expect(await problem(call('POST', `${grant.taskId}/heartbeat`))).toMatchObject({ status: 410, code: 'task-closed' });
    await transitionGrant(ledger.database, grant.id, 'closing', 'closed');
    expect(await problem(call('GET', `${grant.taskId}/secrets/orders?wait=30s`))).toMatchObject({ status: 410, code: 'task-closed' });
  });

  test('[bad 51] a secret that may be fetched once is handed out once, to a hundred that ask at the same time', async () => {
    const { grant } = await ready(world, {}, { maxFetches: 1 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('GET', `${grant.taskId}/secrets/orders`)));
    const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
    expect([count(200), count(429)]).toEqual([1, 99]);
  });

  test.each([
    ['a query', 'GET', '?role=admin', undefined],
    ['a query of a fetch', 'GET', '/secrets/orders?wait=1s&ttl=999999', undefined],
    ['a query twice', 'GET', '/secrets/orders?wait=1s&wait=2s', undefined],
    ['a body where none belongs', 'POST', '/heartbeat', { ttl: 999_999 }],
    ['a field of a body', 'POST', '/release', { names: ['orders'], policyVersion: 1 }],
  ])('[bad 55] 400 for %s that nobody asked for, and nothing happens', async (_, method, path, body) => {
    const { grant } = await ready(world);
    expect(await problem(call(method, `${grant.taskId}${path}`, { body }))).toMatchObject({ status: 400, code: 'invalid-request' });
    expect((await call('GET', `${grant.taskId}`)).body).toMatchObject({ state: 'granted', credentials: [{ state: 'active' }] });
  });

  test('429 after the capability’s limit', async () => {
    const { grant } = await ready(world, {}, { maxFetches: 1 });
    expect((await call('GET', `${grant.taskId}/secrets/orders`)).status).toBe(200);
    expect(await problem(call('GET', `${grant.taskId}/secrets/orders`))).toMatchObject({ status: 429, code: 'fetch-limit' });
  });

  test('503 with Retry-After while Vault is away', async () => {
    const { grant } = await ready(world);
    world.vault.down = true;
    try {
      expect(await problem(call('GET', `${grant.taskId}/secrets/orders`))).toMatchObject({
        status: 503,
        code: 'vault-unavailable',
        retryAfter: '2',
      });
      expect((await fetch(`${served.url}/readyz`)).status).toBe(503);
    } finally {
      world.vault.down = false;
    }
  });

  test.each<[string, string, unknown]>([
    ['GET', 'TASK/secrets/orders?wait=soon', undefined],
    ['GET', 'TASK/secrets/orders?wait=-1s', undefined],
    ['GET', 'TASK/secrets/orders?wait=1s&wait=2s', undefined],
    ['GET', 'TASK/secrets/no%20name', undefined],
    ['GET', 'TASK/secrets/other', undefined],
    ['GET', 'a..b', undefined],
    ['GET', 'a%00b', undefined],
    ['GET', 'a%2Fb', undefined],
    ['GET', '%ff', undefined],
    ['GET', 'x'.repeat(201), undefined],
    ['POST', 'TASK/release', { names: 'orders' }],
    ['POST', 'TASK/release', { names: ['orders', 7] }],
    ['POST', 'TASK/release', { names: [], all: true }],
    ['POST', 'TASK/release', ['orders']],
    ['POST', 'TASK/release', { names: ['other'] }],
    ['POST', 'TASK/release', { names: Array.from({ length: 33 }, (_, n) => `n${n}`) }],
  ])('400 for %s %s %p', async (method, path, body) => {
    const { grant } = await ready(world);
    expect(await problem(call(method, path.replace('TASK', grant.taskId), { body }))).toMatchObject({
      status: 400,
      code: 'invalid-request',
    });
  });
});
