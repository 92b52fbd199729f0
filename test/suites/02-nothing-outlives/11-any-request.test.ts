/** Random paths, ids, queries and bodies. Whatever is asked, the answer is no 500, a problem where it refuses, and never somebody's secret. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { getBytes, sendRaw } from '../../world/raw-http.js';
import { REPORTER, World } from '../../world/world.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
const runs = { numRuns: 300, seed, endOnFailure: true };

let world: World;
let taskId: string;
let secret: string;
let token: string;
let operator: string;
beforeAll(async () => {
  world = await World.open();
  taskId = await world.start('orders-db.read');
  const { data } = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  secret = String(data['password']);
  // Not the task's own agent: nothing of the task may ever be shown to it.
  token = await world.agentToken(REPORTER);
  operator = await world.operatorToken('viewer');
}, 60_000);
afterAll(async () => {
  await world?.end(taskId);
  await world?.close();
});

/** Octets that may stand in a request line, with those that mean something to paths over-represented. */
const octets = fc.oneof(
  fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    '%00',
    '%ff',
    '%',
    '%%',
    ';',
    ':',
    '~',
    '\\',
    '*',
    '@',
    '+',
    '&',
    '=',
    '#',
    '?',
  ),
  fc.constantFrom(
    'v1',
    'tasks',
    'secrets',
    'orders-db',
    'release',
    'heartbeat',
    'access',
    'evaluation',
    'grants',
    'healthz',
    'wait=1s',
    'limit=1',
  ),
  fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  fc.string({ minLength: 1, maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
  fc.constant('TASK'),
);
const segment = fc.array(octets, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
const path = fc.oneof(
  segment.map((text) => `/${text}`),
  segment.map((id) => `/v1/tasks/${id}`),
  fc.tuple(segment, segment).map(([id, name]) => `/v1/tasks/${id}/secrets/${name}`),
  segment.map((query) => `/v1/tasks/TASK/secrets/orders-db?${query}`),
  segment.map((query) => `/v1/grants?${query}`),
  segment.map((id) => `/v1/tasks/${id}/timeline`),
);
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE');
const sides = (): readonly (readonly [string, string])[] => [
  [world.dev.delivery.url, token],
  [world.dev.console.url, operator],
];

function check(status: number, headers: Readonly<Record<string, string>>, body: string, isHead: boolean): void {
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  if (status >= 400) expect(headers['content-type']).toBe('application/problem+json');
  if (status >= 400 && !isHead) expect(JSON.parse(body)).toMatchObject({ status, code: expect.stringMatching(/^[a-z-]+$/) });
  expect(body).not.toContain(secret);
  expect(`${body}${JSON.stringify(headers)}`).not.toMatch(/node_modules|\bat .*\.js:\d|node:internal|select .* from/i);
}

test(`any path (FC_SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(method, path, async (verb, target) => {
      for (const [url, as] of sides()) {
        const bytes = getBytes(
          target.replaceAll('TASK', taskId),
          [
            ['Authorization', `Bearer ${as}`],
            ['Connection', 'close'],
          ],
          verb,
        );
        const { status, headers, body } = await sendRaw(url, bytes, 0, 5);
        check(status, headers, body, verb === 'HEAD');
      }
    }),
    runs,
  );
}, 120_000);

test(`any body (FC_SEED=${seed})`, async () => {
  const admin = await world.operatorToken('admin');
  const orders = fc.record(
    {
      selector: fc.oneof(fc.dictionary(fc.constantFrom('taskId', 'agent', 'tenant', 'x'), fc.jsonValue()), fc.jsonValue()),
      reason: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      dryRun: fc.constant(true),
      files: fc.oneof(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), fc.jsonValue()),
      names: fc.jsonValue(),
      evaluations: fc.oneof(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.jsonValue()),
      context: fc.oneof(
        fc.record({ taskId: fc.constant(taskId), tool: fc.string({ unit: 'binary' }), usage: fc.jsonValue() }),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: ['dryRun'] },
  );
  // INVARIANT: every body says `dryRun`, so that nothing is revoked, or is a list, a text or a number, which no call takes.
  const body = fc.oneof(
    orders.map((order) => JSON.stringify(order)),
    fc.array(fc.jsonValue()).map((list) => JSON.stringify(list)),
    fc.string({ unit: 'binary' }).filter((text) => !text.includes('{')),
  );
  const call = fc.constantFrom<[string, string]>(
    ['console', '/v1/revocations'],
    ['console', '/v1/policies'],
    ['delivery', '/v1/tasks/TASK/release'],
    ['delivery', '/v1/tasks/TASK/heartbeat'],
    ['delivery', '/v1/tasks/TASK/usage'],
    ['delivery', '/access/v1/evaluation'],
    ['delivery', '/access/v1/evaluations'],
  );
  await fc.assert(
    fc.asyncProperty(call, body, async ([side, target], text) => {
      const [url, as] = side === 'console' ? [world.dev.console.url, admin] : [world.dev.delivery.url, token];
      const answer = await fetch(`${url}${target.replace('TASK', taskId)}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
        body: Buffer.from(text),
      });
      check(answer.status, Object.fromEntries(answer.headers), await answer.text(), false);
    }),
    runs,
  );
  expect((await world.agent().task(taskId)).state).toBe('granted');
}, 120_000);
