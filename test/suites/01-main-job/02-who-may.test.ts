import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JWK } from 'jose';
import { ETL, REPORTER, REPORTING, World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

describe('what a task may have', () => {
  test('each credential is decided by itself: a partial permit is normal, with reasons', async () => {
    const taskId = await world.start([
      'orders-db.read',
      { name: 'owner', capability: 'orders-db.owner' },
      { name: 'what', capability: 'no.such' },
    ]);
    const issued = await world.event(taskId, 'grant.issued');
    expect(issued.data).toMatchObject({
      reason: 'partly-permitted',
      policyDigest: expect.stringMatching(/^sha256:/),
      credentials: [
        { name: 'orders-db', decision: 'permit', reasons: ['policy-permits'] },
        { name: 'owner', decision: 'deny', reasons: ['policy-denies'] },
        { name: 'what', decision: 'deny', reasons: ['unknown-capability'] },
      ],
    });
    expect(issued.causationid).toBeDefined();
    expect(await world.ask(`/v1/tasks/${taskId}/secrets/owner`)).toMatchObject({ status: 403, body: { code: 'denied' } });
    expect((await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 })).data['username']).toBeDefined();
    await world.end(taskId);
  });

  test.each([
    ['etl, risk 79', 'orders-db.read', { risk: 79 }, 'grant.issued'],
    ['etl, risk 80', 'orders-db.read', { risk: 80 }, 'grant.denied'],
    ['reporter, risk 49', 'orders-db.read', { ...REPORTING, risk: 49 }, 'grant.issued'],
    ['reporter, risk 50', 'orders-db.read', { ...REPORTING, risk: 50 }, 'grant.denied'],
    ['reporter, kv', 'reports.kv', REPORTING, 'grant.issued'],
    ['etl, kv', 'reports.kv', {}, 'grant.denied'],
    ['reporter, bastion', 'bastion.ssh', REPORTING, 'grant.denied'],
    ['the reporter’s workflow with another agent', 'reports.kv', { ...REPORTING, agent: { id: ETL } }, 'grant.denied'],
    ['an agent that nobody registered', 'orders-db.read', { agent: { id: 'spiffe://example.org/agent/unknown' } }, 'grant.denied'],
    ['a deadline that has passed', 'orders-db.read', { deadline: '2020-01-01T00:00:00Z' }, 'grant.denied'],
  ] as const)('%s asks for %s', async (_name, capability, data, outcome) => {
    const taskId = await world.start(capability, { data });
    const decided = await world.event(taskId, outcome);
    expect(world.eventsOf(taskId).filter(({ type }) => /grant\.(issued|denied)/.test(type))).toHaveLength(1);
    expect(decided.data['decisionId']).toMatch(/^d/);
    await world.end(taskId);
  });

  test('wishes only shorten', async () => {
    const deadline = new Date(Date.now() + 60_000).toISOString();
    const taskId = await world.start([{ name: 'orders-db', capability: 'orders-db.read', ttlSeconds: 30 }], { data: { deadline } });
    const issued = await world.event(taskId, 'credential.issued');
    expect(new Date(issued.data['expiresAt']).getTime()).toBeLessThanOrEqual(Date.now() + 30_500);
    expect((await world.agent().task(taskId)).deadline).toBe(deadline);
    await world.end(taskId);
  });
});

describe('who may have it', () => {
  test('another workload sees exactly what it would see of a task that does not exist', async () => {
    const taskId = await world.start('orders-db.read');
    await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    for (const path of ['', '/secrets/orders-db']) {
      const foreign = await world.ask(`/v1/tasks/${taskId}${path}`, { agent: REPORTER });
      const unknown = await world.ask(`/v1/tasks/${world.newTaskId('nobody')}${path}`, { agent: REPORTER });
      expect(foreign.status).toBe(404);
      expect(foreign.body).toEqual(unknown.body);
    }
    for (const action of ['heartbeat', 'release'])
      expect((await world.ask(`/v1/tasks/${taskId}/${action}`, { agent: REPORTER, method: 'POST' })).status).toBe(404);
    expect((await world.agent().task(taskId)).state).toBe('granted');
    await world.end(taskId);
  });

  test('a token that proves nothing gets 401 and always the same words', async () => {
    const taskId = await world.start('orders-db.read');
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as JWK;
    const now = Math.floor(Date.now() / 1000);
    const bad = [
      await world.agentToken(ETL, { aud: 'other' }),
      await world.agentToken(ETL, { exp: now - 120 }),
      await world.agentToken('spiffe://other.org/agent/etl'),
      await world.agentToken(`${ETL}/`),
      await world.agentToken(ETL, {}, { ...stranger, alg: 'ES256' }),
      'not-a-token',
    ];
    const answers = await Promise.all(bad.map((bearer) => world.ask(`/v1/tasks/${taskId}/secrets/orders-db`, { bearer })));
    expect(answers.map(({ status }) => status)).toEqual(bad.map(() => 401));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    await world.end(taskId);
  });
});
