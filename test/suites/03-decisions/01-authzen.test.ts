/** The two endpoints and the metadata of AuthZEN 1.0, as a policy enforcement point that knows only the standard would use them. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REPORTER, World } from '../../world/world.js';
import { evaluate, factsOf, OFF_PLAN, question } from './calls.js';

let world: World;
let taskId: string;
let metadata: Record<string, string>;
beforeAll(async () => {
  world = await World.open();
  taskId = await world.start('orders-db.read');
  await world.event(taskId, 'grant.issued');
}, 60_000);
afterAll(async () => {
  await world?.end(taskId);
  await world?.close();
});

test('the metadata is where the standard says, and names itself', async () => {
  const answer = await fetch(`${world.dev.delivery.url}/.well-known/authzen-configuration`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^application\/json/)]);
  metadata = (await answer.json()) as Record<string, string>;
  expect(metadata).toEqual({
    policy_decision_point: world.dev.delivery.url,
    access_evaluation_endpoint: `${world.dev.delivery.url}/access/v1/evaluation`,
    access_evaluations_endpoint: `${world.dev.delivery.url}/access/v1/evaluations`,
  });
});

describe('an evaluation', () => {
  // Other files change the policy set meanwhile: a record names the set that its own answer named.
  const offPlan = new Map<string, string>();

  test('of a call on the plan is true; the request’s id comes back', async () => {
    const answer = await evaluate(world, question(taskId), 'evaluation', { 'x-request-id': 'bfe9eb29 ab87' });
    expect(answer).toMatchObject({ status: 200, body: { decision: true } });
    expect(answer.headers.get('x-request-id')).toBe('bfe9eb29 ab87');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  });

  test.each<[string, object]>([
    ['tool', { context: { tool: 'shell' } }],
    ['verb', { action: { name: 'drop' } }],
    ['dataset', OFF_PLAN],
    ['host', { context: { host: 'evil.example.org' } }],
  ])('of a call off the plan by its %s is 200 and false', async (_, changes) => {
    const asked = {
      ...question(taskId),
      ...changes,
      context: { ...question(taskId).context, ...(changes as { context?: object }).context },
    };
    const { status, body } = await evaluate(world, asked);
    expect([status, body]).toMatchObject([200, { decision: false, context: { reason: 'off-plan' } }]);
    offPlan.set(body.context.decisionId, body.context.policyDigest);
  });

  test('leaves its evidence, with the digest of the intent that was pinned at the start; what is off the plan is an attempt to escalate', async () => {
    const { intentDigest } = (await world.event(taskId, 'grant.issued')).data as { intentDigest: string };
    const { body } = await evaluate(world, question(taskId));
    const [decided, attempts] = [await factsOf(world, taskId, 'call-decided'), await factsOf(world, taskId, 'escalation-attempt')];
    expect(decided.find(({ decisionId }) => decisionId === body.context.decisionId)).toMatchObject({
      decision: 'permit',
      intentDigest,
      verb: 'read',
    });
    expect(attempts.map(({ decisionId }) => decisionId)).toEqual(expect.arrayContaining([...offPlan.keys()]));
    for (const fact of attempts)
      expect(fact).toMatchObject({ decision: 'deny', reasons: ['off-plan'], intentDigest, policyDigest: offPlan.get(fact['decisionId']) });
  });

  test('of another’s task looks like that of one that nobody knows', async () => {
    const ask = async (id: string) =>
      world.ask('/access/v1/evaluation', {
        method: 'POST',
        agent: REPORTER,
        body: JSON.stringify({ ...question(id), subject: { type: 'agent', id: REPORTER } }),
      });
    const [foreign, unknown] = [await ask(taskId), await ask('nobody-knows')];
    expect([foreign.status, foreign.body]).toEqual([unknown.status, unknown.body]);
    expect(foreign).toMatchObject({ status: 200, body: { decision: false } });
  });

  test('without what it needs is 400, without a token 401: neither is a decision', async () => {
    for (const field of ['subject', 'action', 'resource', 'context']) {
      const { [field]: _, ...rest } = question(taskId) as Record<string, unknown>;
      expect(await evaluate(world, rest)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    }
    expect(
      await world.ask('/access/v1/evaluation', { method: 'POST', bearer: 'none', body: JSON.stringify(question(taskId)) }),
    ).toMatchObject({
      status: 401,
      body: { code: 'invalid-token' },
    });
  });

  test('of a task that has ended is false', async () => {
    const ended = await world.start('orders-db.read');
    await world.event(ended, 'grant.issued');
    expect((await evaluate(world, question(ended))).body.decision).toBe(true);
    await world.end(ended);
    await world.event(ended, 'grant.closed');
    expect((await evaluate(world, question(ended))).body).toMatchObject({ decision: false, context: { reason: 'task-closed' } });
  });
});

describe('evaluations', () => {
  test.each([
    ['execute_all', [true, false, true]],
    ['deny_on_first_deny', [true, false]],
    ['permit_on_first_permit', [true]],
  ])('%s', async (evaluations_semantic, decisions) => {
    const { subject, action, resource, context } = question(taskId);
    const body = { subject, action, context, options: { evaluations_semantic }, evaluations: [{ resource }, OFF_PLAN, { resource }] };
    const answer = await evaluate(world, body, 'evaluations');
    expect(answer.status).toBe(200);
    expect((answer.body.evaluations as { decision: boolean }[]).map(({ decision }) => decision)).toEqual(decisions);
  });

  test('one that cannot be read is false with its error, the rest is answered; without a list it is a single one', async () => {
    const answer = await evaluate(world, { ...question(taskId), evaluations: [{}, { resource: 7 }] }, 'evaluations');
    expect(answer.body.evaluations).toMatchObject([
      { decision: true },
      { decision: false, context: { error: { status: 400, message: expect.any(String) } } },
    ]);
    expect((await evaluate(world, question(taskId), 'evaluations')).body).toMatchObject({ decision: true });
  });
});

test('the agent’s client asks the same', async () => {
  const agent = world.agent();
  const call = { tool: 'sql.query', action: 'read', resource: { type: 'table', id: 'orders' } };
  expect(await agent.mayCall(taskId, call)).toBe(true);
  expect(await agent.evaluate(taskId, { ...call, resource: OFF_PLAN.resource })).toMatchObject({ decision: false, reason: 'off-plan' });
  expect((await agent.evaluateAll(taskId, [call, { ...call, action: 'drop' }])).map(({ decision }) => decision)).toEqual([true, false]);
  await agent.reportUsage(taskId, { rows: 10 });
});
