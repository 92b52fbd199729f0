import { afterEach, describe, expect, it } from '@jest/globals';
import { refused, startWorld, type Route } from './world.js';

interface Found {
  readonly findings: readonly { readonly name: string; readonly address?: string; readonly ok: boolean; readonly advice?: string }[];
}

let world: Awaited<ReturnType<typeof startWorld>>;
afterEach(() => world.close());
const doctor = async (readyz: Route, env: Readonly<Record<string, string>> = {}) => {
  world = await startWorld({ 'GET /readyz': readyz });
  const { code, out, err } = await world.run(['doctor', '--json'], { env });
  const { findings } = JSON.parse(out) as Found;
  return { code, out: out + err, found: (wanted: string) => findings.find(({ name }) => name === wanted) };
};
const since = '2026-01-01T00:00:00.000Z';

describe('doctor', () => {
  it('finds a service ready', async () => {
    const { found } = await doctor(() => ({ status: 'ok', parts: { ledger: { status: 'ok', since } } }));
    expect(found('console')).toEqual({ name: 'console', address: world.url, ok: true });
  });

  it('says which parts of a service are not ready', async () => {
    const parts = { ledger: { status: 'ok', since }, vault: { status: 'vault-unavailable', since }, kafka: { status: 'slow', since } };
    const { code, found } = await doctor(() => refused(503, 'x', { status: 'not-ok', parts }));
    expect(code).toBe(1);
    expect(found('delivery')?.advice).toBe(
      `it is not ready: vault (vault-unavailable) since ${since}, kafka (slow) since ${since}; its log says why`,
    );
  });

  it('says that a service is not ready when it does not say more', async () => {
    const { found } = await doctor(() => refused(503, 'x'));
    expect(found('delivery')?.advice).toBe('it is not ready; its log says why');
  });

  it.each([
    ['MAYFLY_CONSOLE_URL', 'console', 'http://u:geheim@127.0.0.1:1/x', 'http://***@127.0.0.1:1/x'],
    ['MAYFLY_CONSOLE_URL', 'console', 'http://u:geh/eim@127.0.0.1:1', 'http://***@127.0.0.1:1'],
    ['MAYFLY_DELIVERY_URL', 'delivery', 'http:u:geheim@127.0.0.1:1', '***@127.0.0.1:1'],
    ['VAULT_ADDR', 'vault', 'https://geheim@127.0.0.1:1', 'https://***@127.0.0.1:1'],
    ['KAFKA_BROKERS', 'kafka', '127.0.0.1:1,u:geh,eim@127.0.0.1:2', '***@127.0.0.1:2'],
  ])('shows no password that stands in %s', async (variable, name, given, address) => {
    const { out, found } = await doctor(() => ({}), { [variable]: given });
    expect(found(name)).toMatchObject({ ok: false, address, advice: expect.stringContaining('without them') });
    expect(out).not.toMatch(/geheim|eim@/);
    expect((await world.run(['doctor'], { env: { [variable]: given } })).out).not.toMatch(/geheim|eim@/);
  });
});
