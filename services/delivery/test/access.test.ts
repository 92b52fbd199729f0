/** AuthZEN Authorization API 1.0, to the letter. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Grant } from '@mayfly/grant';
import { readStandings } from '@mayfly/store';
import { serve, type Served } from '../../../libs/http/test/serve.js';
import { applyExample } from '../../../libs/store/test/example.js';
import { granted, startLedger, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { AccessController } from '../src/access/access.controller.js';
import { Evaluating } from '../src/access/evaluating.js';
import { Delivering } from '../src/delivering.js';
import { TasksController } from '../src/tasks.controller.js';
import { WorkloadProof } from '../src/workload-proof.js';
import { AGENT, deliveryOn } from './world.js';

let ledger: Ledger;
let world: ReturnType<typeof deliveryOn>;
let served: Served;
let grant: Grant;
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
    health: { liveness: {}, readiness: {} },
  });
}, 60_000);
afterAll(async () => {
  await served?.close();
  await world?.close();
  await ledger?.stop();
});
beforeEach(async () => {
  const plan = [{ tool: 'sql.query', action: 'read', resource: 'orders' }];
  ({ grant } = await granted(ledger.database, { start: task({ intent: { purpose: 'test', plan } }) }));
});

const question = (changes: object = {}) => ({
  subject: { type: 'agent', id: AGENT },
  action: { name: 'read' },
  resource: { type: 'table', id: 'orders' },
  context: { taskId: grant.taskId, tool: 'sql.query' },
  ...changes,
});
const OFF = { resource: { type: 'table', id: 'salaries' } };

async function ask(path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${served.url}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer etl', 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  const type = answer.headers.get('content-type') ?? '';
  return { status: answer.status, headers: answer.headers, type, text, body: /json/.test(type) ? JSON.parse(text) : undefined };
}
const one = (body: unknown, headers?: Record<string, string>) => ask('/access/v1/evaluation', body, headers);
const many = (body: unknown) => ask('/access/v1/evaluations', body);
const usage = async () => (await readStandings(ledger.database, [grant.taskId])).get(grant.taskId)!.usage;
const without = (path: string): unknown => {
  const [field = '', inner] = path.split('.');
  const whole: Record<string, Record<string, unknown>> = structuredClone(question());
  if (inner) delete whole[field]![inner];
  else delete whole[field];
  return whole;
};

describe('POST /access/v1/evaluation', () => {
  test('a permit is 200 and true, in plain JSON, with what it rests on', async () => {
    const { status, type, headers, body } = await one(question());
    expect({ status, type }).toEqual({ status: 200, type: expect.stringMatching(/^application\/json/) });
    expect(body).toEqual({
      decision: true,
      context: {
        reason: 'policy-permits',
        decisionId: expect.any(String),
        policyDigest: expect.any(String),
        intentDigest: grant.intentDigest,
      },
    });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('a deny is 200 and false', async () => {
    expect(await one(question(OFF))).toMatchObject({ status: 200, body: { decision: false, context: { reason: 'off-plan' } } });
  });

  test('fields that nobody knows are ignored, wherever they are', async () => {
    const more = { properties: { department: 'sales' }, more: [1] };
    const asked = question();
    const body = {
      subject: { ...asked.subject, ...more },
      action: { ...asked.action, ...more },
      resource: { ...asked.resource, ...more },
      context: { ...asked.context, time: '2026-01-01T00:00:00Z', ...more },
      role: 'admin',
      evaluations: 'not of this call',
    };
    expect(await one(body)).toMatchObject({ status: 200, body: { decision: true } });
  });

  test.each([
    ...['subject', 'subject.type', 'subject.id', 'action', 'action.name', 'resource', 'resource.type', 'resource.id'],
    ...['context', 'context.taskId', 'context.tool'],
  ])('without its %s a question is none: 400, and nothing is decided', async (path) => {
    expect(await one(without(path))).toMatchObject({
      status: 400,
      type: 'application/problem+json',
      body: { code: 'invalid-request', detail: expect.stringContaining(`${path}: is missing`) },
    });
    expect(await usage()).toMatchObject({ calls: 0, refused: 0 });
  });

  test.each<[string, unknown]>([
    ['a number for an id', { resource: { type: 'table', id: 7 } }],
    ['null for a subject', { subject: null }],
    ['a list for a context', { context: [] }],
    ['an object for a text', { action: { name: { length: { valueOf: 1 } } } }],
    ['an empty text', { action: { name: '' } }],
    ['a text that is too long', { action: { name: 'x'.repeat(501) } }],
    ['a NUL', { resource: { type: 'table', id: 'orders\u0000' } }],
    ['half a character', { resource: { type: 'table', id: 'orders\ud800' } }],
    ['a new line', { resource: { type: 'table', id: 'orders\nand more' } }],
    ['use that is negative', { context: { taskId: 'any', tool: 'sql.query', usage: { rows: -1 } } }],
    ['use with a fraction', { context: { taskId: 'any', tool: 'sql.query', usage: { bytes: 0.5 } } }],
    ['a task id that is none', { context: { taskId: '../etc', tool: 'sql.query' } }],
  ])('%s is 400', async (_, changes) => {
    expect(await one({ ...question(), ...(changes as object) })).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  test.each(['[]', '"text"', 'null', '7', '{', ''])('%p is no question: 400', async (body) => {
    expect((await one(body)).status).toBe(400);
  });

  test('an error is a problem, or its sentence alone for who wants text', async () => {
    const plain = await one(without('subject'), { accept: 'text/plain' });
    expect(plain).toMatchObject({ status: 400, type: 'text/plain; charset=utf-8', text: 'subject: is missing or not as expected' });
    expect((await one(without('subject'), { accept: '*/*' })).type).toBe('application/problem+json');
    expect((await one(without('subject'), { accept: 'application/json' })).type).toBe('application/problem+json');
  });

  test('who does not prove himself gets 401, whatever he says of himself', async () => {
    for (const authorization of ['', 'Bearer forged', 'Basic etl'])
      expect(await one(question(), { authorization })).toMatchObject({ status: 401, body: { code: 'invalid-token' } });
  });

  test('the subject is who the token proves, never who the body names', async () => {
    expect(await one(question({ subject: { type: 'agent', id: AGENT } }), { authorization: 'Bearer reporter' })).toMatchObject({
      status: 200,
      body: { decision: false, context: { reason: 'task-not-found' } },
    });
    expect(await one(question({ subject: { type: 'user', id: 'alice' } }))).toMatchObject({ status: 200, body: { decision: false } });
  });

  test('a request’s id comes back as it was sent, with an error too; without one there is none', async () => {
    const id = 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716 / as is';
    for (const body of [question(), question(OFF), {}, '{'])
      expect((await one(body, { 'x-request-id': id })).headers.get('x-request-id')).toBe(id);
    expect((await one(question(), { 'x-request-id': id, authorization: '' })).headers.get('x-request-id')).toBe(id);
    expect((await one(question())).headers.has('x-request-id')).toBe(false);
  });

  test('only POST, and only JSON', async () => {
    const answer = await fetch(`${served.url}/access/v1/evaluation`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await one(question(), { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
  });

  test('what the calls before have used is added first', async () => {
    const asked = question();
    await one({ ...asked, context: { ...asked.context, usage: { rows: 10, bytes: 100 } } });
    await one({ ...asked, context: { ...asked.context, usage: { rows: 5 } } });
    expect(await usage()).toMatchObject({ calls: 2, rows: 15, bytes: 100 });
  });
});

describe('POST /access/v1/evaluations', () => {
  const decisions = (answer: Awaited<ReturnType<typeof many>>): boolean[] =>
    (answer.body as { evaluations: { decision: boolean }[] }).evaluations.map(({ decision }) => decision);

  test('answers in order; what stands beside the list is what an evaluation has that says nothing else', async () => {
    const { subject, action, context } = question();
    const evaluations = [{ resource: { type: 'table', id: 'orders' } }, OFF, { ...question(), action: { name: 'drop' } }];
    const answer = await many({ subject, action, context, evaluations });
    expect(answer.status).toBe(200);
    expect(decisions(answer)).toEqual([true, false, false]);
    expect(answer.body).not.toHaveProperty('decision');
  });

  test('an override takes the place of the whole default', async () => {
    const answer = await many({ ...question(), evaluations: [{}, { context: { taskId: grant.taskId } }] });
    expect(answer.body).toEqual({
      evaluations: [
        expect.objectContaining({ decision: true }),
        { decision: false, context: { error: { status: 400, message: 'context.tool: is missing or not as expected' } } },
      ],
    });
  });

  test('one that cannot be read is false with its error; the others are answered', async () => {
    const answer = await many({ evaluations: [question(), 7, null, [], {}, question()] });
    expect(decisions(answer)).toEqual([true, false, false, false, false, true]);
    expect(answer.body.evaluations[1]).toEqual({ decision: false, context: { error: { status: 400, message: expect.any(String) } } });
    expect(await usage()).toMatchObject({ calls: 2, refused: 0 });
  });

  test.each([{}, { evaluations: [] }])('with %j beside it, a request is a single one and answered as one', async (more) => {
    expect(await many({ ...question(), ...more })).toMatchObject({ status: 200, body: { decision: true } });
    expect(await many({ ...(without('action') as object), ...more })).toMatchObject({ status: 400 });
  });

  test.each([
    [undefined, [true, false, true]],
    ['execute_all', [true, false, true]],
    ['deny_on_first_deny', [true, false]],
    ['permit_on_first_permit', [true]],
  ])('the semantic %s', async (evaluations_semantic, expected) => {
    const options = { ...(evaluations_semantic && { evaluations_semantic }), another_option: 'ignored' };
    expect(decisions(await many({ options, evaluations: [question(), question(OFF), question()] }))).toEqual(expected);
  });

  test('an unreadable one is a deny for who stops at the first', async () => {
    const options = { evaluations_semantic: 'deny_on_first_deny' };
    expect(decisions(await many({ options, evaluations: [question(), {}, question()] }))).toEqual([true, false]);
  });

  test.each<[string, object]>([
    ['a semantic that nobody knows', { options: { evaluations_semantic: 'any' } }],
    ['options that are none', { options: [] }],
    ['a list that is none', { evaluations: {} }],
    ['a list that is null', { evaluations: null }],
  ])('%s: 400 for the whole request', async (_, changes) => {
    expect(await many({ evaluations: [question()], ...changes })).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await usage()).toMatchObject({ calls: 0 });
  });

  test('at most 64 questions', async () => {
    const list = (length: number) => ({ ...question(), evaluations: Array.from({ length }, () => ({})) });
    expect(decisions(await many(list(64)))).toHaveLength(64);
    expect(await many(list(65))).toMatchObject({ status: 400 });
    expect(await usage()).toMatchObject({ calls: 64 });
  });

  test('use that stands beside the list is added once, and that of each question once', async () => {
    const context = { taskId: grant.taskId, tool: 'sql.query', usage: { rows: 10 } };
    await many({ ...question(), context, evaluations: [{}, {}, { context: { ...context, usage: { rows: 1 } } }] });
    expect(await usage()).toMatchObject({ calls: 3, rows: 11 });
  });
});

describe('GET /.well-known/authzen-configuration', () => {
  test('tells everybody where this decision point is, and what it has', async () => {
    const answer = await fetch(`${served.url}/.well-known/authzen-configuration`);
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
      'public, max-age=300',
    ]);
    expect(await answer.json()).toEqual({
      policy_decision_point: 'http://mayfly.test',
      access_evaluation_endpoint: 'http://mayfly.test/access/v1/evaluation',
      access_evaluations_endpoint: 'http://mayfly.test/access/v1/evaluations',
    });
  });
});

describe('POST /v1/tasks/{taskId}/usage', () => {
  const report = (body: unknown, taskId: string = grant.taskId) => ask(`/v1/tasks/${taskId}/usage`, body);

  test('adds to what was used', async () => {
    expect((await report({ rows: 3, bytes: 30 })).status).toBe(204);
    expect((await report({ bytes: 1 })).status).toBe(204);
    expect(await usage()).toMatchObject({ rows: 3, bytes: 31 });
  });

  test('never overflows', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    for (let n = 0; n < 2; n += 1) expect((await report({ rows: most, bytes: most })).status).toBe(204);
    expect(await usage()).toMatchObject({ rows: most, bytes: most });
  });

  test.each([{}, { rows: -1 }, { rows: '5' }, { rows: 2 ** 53 }, { rows: 1, calls: 5 }, [], 'null'])('%j is 400', async (body) => {
    expect(await report(body)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await usage()).toMatchObject({ rows: 0 });
  });

  test('of a task that nobody knows is 404', async () => {
    expect(await report({ rows: 1 }, 'nobody')).toMatchObject({ status: 404, body: { code: 'task-not-found' } });
  });
});
