import { createHash, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createAgentClient, type AgentClientOptions } from '@mayfly/agent-client';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWK } from 'jose';
import { problem, startDelivery, type Answer } from './delivery.js';

const SECRET = {
  taskId: 'etl-1',
  name: 'orders',
  capability: 'orders-db.read',
  data: { username: 'u', password: 'hunter2' },
  leaseRef: 'l1',
  expiresAt: '2026-01-01T00:00:00Z',
};
const running: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())));

async function setup(answers: Answer[], options: Partial<AgentClientOptions> = {}) {
  const delivery = await startDelivery(...answers);
  running.push(delivery);
  return { delivery, client: createAgentClient({ url: `${delivery.url}/`, token: () => 'token-1\n', ...options }) };
}

describe('a fetched secret', () => {
  it('is asked for with the token, a wait and the trace', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { client, delivery } = await setup([{ status: 200, body: SECRET }], { traceparent: () => traceparent });
    const secret = await client.secret('etl-1', 'orders', { waitSeconds: 5 });
    expect(secret.data).toEqual({ username: 'u', password: 'hunter2' });
    expect(secret).toMatchObject({ taskId: 'etl-1', leaseRef: 'l1', expiresAt: '2026-01-01T00:00:00Z' });
    expect(delivery.asked[0]).toMatchObject({
      url: expect.stringMatching(/^\/v1\/tasks\/etl-1\/secrets\/orders\?wait=[45]s$/),
      headers: { authorization: 'Bearer token-1', traceparent },
    });
  });

  it('shows nothing of itself when it is printed or made JSON of', async () => {
    const { client } = await setup([{ status: 200, body: SECRET }]);
    const secret = await client.secret('etl-1', 'orders');
    for (const shown of [inspect(secret, { depth: 9, showHidden: true }), JSON.stringify(secret), JSON.stringify({ ...secret })]) {
      expect(shown).not.toContain('hunter2');
    }
  });

  it('cannot be asked for outside of its task, whatever the names are', async () => {
    const { client, delivery } = await setup([{ status: 200, body: SECRET }]);
    await client.secret('../admin', 'a/b?x');
    expect(delivery.asked[0]?.url).toMatch(/^\/v1\/tasks\/\.\.%2Fadmin\/secrets\/a%2Fb%3Fx\?wait=/);
  });
});

describe('with a key that the token is bound to', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  it('every request carries a fresh proof of its own (RFC 9449)', async () => {
    const { client, delivery } = await setup([{ status: 200, body: SECRET }, { status: 204 }, { status: 204 }], { proofKey: privateKey });
    await client.secret('etl:1', 'orders', { waitSeconds: 5 });
    await client.heartbeat('etl:1');
    await client.heartbeat('etl:1');
    const proofs = delivery.asked.map(({ headers }) => headers['dpop'] as string);
    const read = await Promise.all(proofs.map((proof) => jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'] })));
    const ath = createHash('sha256').update('token-1').digest('base64url');
    expect(delivery.asked.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('DPoP token-1'));
    expect(read[0]?.payload).toMatchObject({ htm: 'GET', htu: `${delivery.url}/v1/tasks/etl%3A1/secrets/orders`, ath });
    expect(read[1]?.payload).toMatchObject({ htm: 'POST', htu: `${delivery.url}/v1/tasks/etl%3A1/heartbeat`, ath });
    expect(new Set(read.map(({ payload }) => payload.jti)).size).toBe(3);
    const shown = read[0]?.protectedHeader['jwk'] as JWK;
    expect(Object.keys(shown).sort()).toEqual(['crv', 'kty', 'x', 'y']);
    expect(await calculateJwkThumbprint(shown)).toBe(await calculateJwkThumbprint(publicKey.export({ format: 'jwk' })));
  });

  it('another kind of key is refused before anything is sent', async () => {
    const { client, delivery } = await setup([{ status: 200, body: SECRET }], { proofKey: publicKey });
    await expect(client.task('etl-1')).rejects.toThrow(TypeError);
    expect(delivery.asked).toEqual([]);
  });
});

describe('what may work later', () => {
  it('is tried again after Retry-After', async () => {
    const { client, delivery } = await setup([
      problem(409, 'not-ready', {}, { 'retry-after': '0' }),
      problem(503, 'vault-unavailable', {}, { 'retry-after': '0' }),
      { status: 200, body: SECRET },
    ]);
    await expect(client.secret('etl-1', 'orders')).resolves.toMatchObject({ name: 'orders' });
    expect(delivery.asked).toHaveLength(3);
  });

  it('is given up when the next try would be too late', async () => {
    const { client, delivery } = await setup([problem(503, 'vault-unavailable', {}, { 'retry-after': '60' })]);
    await expect(client.secret('etl-1', 'orders', { waitSeconds: 2 })).rejects.toMatchObject({
      code: 'vault-unavailable',
      status: 503,
      retryAfterSeconds: 60,
    });
    expect(delivery.asked).toHaveLength(1);
  });
});

describe('what is refused', () => {
  it.each([
    [403, 'denied'],
    [404, 'task-not-found'],
    [410, 'task-closed'],
    [429, 'fetch-limit'],
    [401, 'invalid-token'],
  ])('is told at once, %i by its code %s', async (status, code) => {
    const { client, delivery } = await setup([problem(status, code, { decisionId: 'd1' })]);
    await expect(client.secret('etl-1', 'orders')).rejects.toMatchObject({
      name: 'MayflyProblem',
      code,
      status,
      decisionId: 'd1',
      message: `this is ${code}`,
    });
    expect(delivery.asked).toHaveLength(1);
  });

  it('has a code even when the answer is no problem document', async () => {
    const { client } = await setup([{ status: 502, body: 'bad gateway', headers: { 'content-type': 'text/html' } }]);
    await expect(client.task('etl-1')).rejects.toMatchObject({ code: 'http-error', status: 502 });
  });

  it('is unreachable when nobody answers, and says nothing of the token', async () => {
    const { client } = await setup([], { url: 'http://127.0.0.1:1', patienceSeconds: 0 });
    const error = await client.heartbeat('etl-1').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'unreachable', status: 0 });
    expect(inspect(error, { depth: 9 })).not.toContain('token-1');
  });

  it('sends the token nowhere else: redirects are not followed', async () => {
    const { client, delivery } = await setup([{ status: 307, headers: { location: '/elsewhere' } }], { patienceSeconds: 0 });
    await expect(client.task('etl-1')).rejects.toMatchObject({ code: 'unreachable' });
    expect(delivery.asked).toHaveLength(1);
  });
});

describe('the other calls', () => {
  it('tell the state, a sign of life, and what is given back', async () => {
    const { client, delivery } = await setup([
      { status: 200, body: { taskId: 'etl-1', state: 'granted', credentials: [] } },
      { status: 204 },
      { status: 202 },
      { status: 202 },
    ]);
    await expect(client.task('etl-1')).resolves.toMatchObject({ state: 'granted' });
    await client.heartbeat('etl-1');
    await client.release('etl-1', ['orders']);
    await client.release('etl-1');
    expect(delivery.asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/v1/tasks/etl-1', ''],
      ['POST', '/v1/tasks/etl-1/heartbeat', ''],
      ['POST', '/v1/tasks/etl-1/release', '{"names":["orders"]}'],
      ['POST', '/v1/tasks/etl-1/release', ''],
    ]);
  });
});

describe('a tool call', () => {
  const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.AA`;
  const ETL = 'spiffe://example.org/agent/etl';
  const CALL = { tool: 'sql.query', action: 'read', resource: { type: 'table', id: 'orders' }, host: 'db' };
  const answer = (body: unknown) => ({ status: 200, body });
  const asking = (...bodies: unknown[]) => setup(bodies.map(answer), { token: () => jwt({ sub: ETL }) });
  const bodyOf = (delivery: { asked: { body: string }[] }): unknown => JSON.parse(delivery.asked[0]!.body);

  it('is asked about in the name of whom the token proves', async () => {
    const { client, delivery } = await asking({ decision: true, context: { reason: 'policy-permits', decisionId: 'd1' } });
    expect(await client.evaluate('t', CALL, { rows: 3 })).toEqual({ decision: true, reason: 'policy-permits', decisionId: 'd1' });
    expect([delivery.asked[0]?.url, bodyOf(delivery)]).toEqual([
      '/access/v1/evaluation',
      {
        subject: { type: 'agent', id: ETL },
        action: { name: 'read' },
        resource: { type: 'table', id: 'orders' },
        context: { taskId: 't', tool: 'sql.query', host: 'db', usage: { rows: 3 } },
      },
    ]);
  });

  it('of an OIDC workload is asked in the name of issuer and subject', async () => {
    const { client, delivery } = await setup([answer({ decision: false })], { token: () => jwt({ iss: 'https://idp', sub: 'ci' }) });
    await client.mayCall('t', CALL);
    expect(bodyOf(delivery)).toMatchObject({ subject: { id: 'https://idp#ci' } });
  });

  it.each([{ decision: false }, { decision: 'true' }, { decision: 1 }, {}, { context: {} }])('may not be made after %j', async (body) => {
    const { client } = await asking(body);
    expect(await client.mayCall('t', CALL)).toBe(false);
  });

  it('among many has its own answer, and what was used is said once', async () => {
    const { client, delivery } = await asking({
      evaluations: [{ decision: true }, { decision: false, context: { error: { message: 'no' } } }],
    });
    expect(await client.evaluateAll('t', [CALL, CALL], { bytes: 9 })).toEqual([
      { decision: true, reason: 'unknown' },
      { decision: false, reason: 'no' },
    ]);
    const { evaluations } = bodyOf(delivery) as { evaluations: { context: object }[] };
    expect(evaluations.map(({ context }) => 'usage' in context)).toEqual([true, false]);
    expect(await client.evaluateAll('t', [])).toEqual([]);
  });

  it('that cannot be asked about is a problem, never a yes', async () => {
    const { client } = await setup([problem(503, 'policy-unavailable')], { token: () => jwt({ sub: ETL }) });
    await expect(client.mayCall('t', CALL)).rejects.toMatchObject({ code: 'policy-unavailable' });
  });

  it('tells what it has used', async () => {
    const { client, delivery } = await setup([{ status: 204 }]);
    await client.reportUsage('t', { rows: 5 });
    expect(delivery.asked[0]).toMatchObject({ method: 'POST', url: '/v1/tasks/t/usage', body: '{"rows":5}' });
  });
});
