import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from '@mayfly/domain';
import { metricsText, recordSpans } from '@mayfly/telemetry';
import { VaultClient, type VaultCall } from '../src/client.js';
import { stubServer, type Asked, type Reply, type StubServer } from './stub-server.js';

const TOKEN = 's.CanaryTokenCanaryToken';
const LEASE = 'database/creds/orders-read/CanaryLease';
const call: VaultCall = {
  method: 'POST',
  path: 'sys/leases/lookup',
  body: { lease_id: LEASE },
  token: new Secret(TOKEN),
  idempotent: true,
};

const recording = recordSpans();
let server: StubServer | undefined;
async function against(reply: (asked: Asked, count: number) => Reply, timeoutMs?: number): Promise<VaultClient> {
  server = await stubServer(reply);
  return new VaultClient(server.address, timeoutMs);
}
const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: Error) => error,
  );

beforeAll(
  () =>
    void Object.assign(process.env, {
      VAULT_TOKEN: 'from-environment',
      VAULT_NAMESPACE: 'from-environment',
      VAULT_PREFIX: '/from-environment',
    }),
);
afterEach(async () => {
  await server?.stop();
  recording.clear();
});
afterAll(async () => {
  for (const name of ['VAULT_TOKEN', 'VAULT_NAMESPACE', 'VAULT_PREFIX']) delete process.env[name];
  await recording.stop();
});

describe('a call', () => {
  it('sends its own token and takes nothing from the environment', async () => {
    const client = await against(() => ({ status: 200, body: { data: { a: 1 } } }));
    expect((await client.call(call)).data).toEqual({ a: 1 });
    await client.call({ method: 'GET', path: 'sys/health', idempotent: true });
    const [first, second] = server!.asked;
    expect(first).toMatchObject({ path: '/v1/sys/leases/lookup', body: { lease_id: LEASE } });
    expect(first!.headers['x-vault-token']).toBe(TOKEN);
    expect(second!.headers).not.toHaveProperty('x-vault-token');
    expect(second!.headers).not.toHaveProperty('x-vault-namespace');
  });

  it('keeps its connection for the next one', async () => {
    const client = await against((asked) => ({ status: 200, body: { data: { connection: asked.headers.connection } } }));
    await client.call(call);
    expect((await client.call(call)).data.connection).toBe('keep-alive');
  });

  it('tries again what may be repeated, and says so in its span', async () => {
    const client = await against((_, count) => (count < 3 ? (count === 1 ? 'break' : { status: 503 }) : { status: 204 }));
    await client.call(call);
    expect(server!.asked).toHaveLength(3);
    expect(recording.spans()).toHaveLength(1);
    expect(recording.spans()[0]!.attributes).toMatchObject({ 'http.request.resend_count': 2, 'http.response.status_code': 200 });
  });

  it('gives up after three tries', async () => {
    const client = await against(() => ({ status: 429 }));
    expect(await failure(client.call(call))).toMatchObject({ code: 'vault-unavailable', retriable: true });
    expect(server!.asked).toHaveLength(3);
  });

  it.each(['break', { status: 500 }] as Reply[])('never repeats what is not idempotent', async (reply) => {
    const client = await against(() => reply);
    expect(await failure(client.call({ ...call, idempotent: false }))).toMatchObject({ code: 'vault-unavailable' });
    expect(server!.asked).toHaveLength(1);
  });

  it('ends at its deadline, all tries together', async () => {
    const client = await against((_, count) => (count === 1 ? { status: 503 } : 'silence'), 400);
    const startedAt = performance.now();
    expect(await failure(client.call(call))).toMatchObject({ code: 'vault-unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  it('[bad 73] follows no redirect, so that the token goes nowhere else', async () => {
    const elsewhere = await stubServer(() => ({ status: 200, body: {} }));
    const client = await against(() => ({ status: 307, location: `${elsewhere.address}/v1/sys/leases/lookup` }));
    expect(await failure(client.call(call))).toMatchObject({ code: 'vault-unavailable', message: expect.stringContaining('redirect') });
    expect(elsewhere.asked).toHaveLength(0);
    await elsewhere.stop();
  });

  it('believes no page of a proxy', async () => {
    const client = await against(() => ({ status: 400, body: '<html>invalid lease</html>' }));
    expect(await failure(client.call(call))).toMatchObject({ code: 'vault-refused', reason: 'other' });
  });

  it.each([
    [400, ['invalid lease'], 'invalid-lease'],
    [400, ['1 error occurred:\n\t* invalid accessor\n\n'], 'invalid-accessor'],
    [403, ['permission denied'], 'permission-denied'],
    [404, [], 'not-found'],
    [400, ['failed to look up: invalid lease'], 'other'],
    [400, ['invalid lease', 'something else'], 'other'],
    [400, undefined, 'other'],
  ])('reads status %d %j as %s', async (status, errors, reason) => {
    const client = await against(() => ({ status, body: { errors } }));
    expect(await failure(client.call(call))).toMatchObject({ code: 'vault-refused', reason, vaultStatus: status });
  });

  it('shows neither token nor body nor Vault’s words in errors, spans and metrics', async () => {
    const seen: string[] = [];
    for (const reply of [
      'break',
      'silence',
      { status: 500, body: { errors: [`lease ${LEASE}`] } },
      { status: 400, body: { errors: [`no ${LEASE}`] } },
    ] as Reply[]) {
      const client = await against(() => reply, 300);
      seen.push(inspect(await failure(client.call({ ...call, idempotent: false })), { depth: 10, showHidden: true }));
      await server?.stop();
    }
    seen.push(JSON.stringify(recording.spans()), (await metricsText()).body);
    expect(seen.join()).not.toMatch(/Canary/);
    expect(seen.join()).toContain('vault sys/leases/lookup');
  });
});
