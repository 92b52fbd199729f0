import { afterEach, expect, it } from '@jest/globals';
import { startWorld, type Route } from './world.js';

let world: Awaited<ReturnType<typeof startWorld>>;
afterEach(() => world.close());

const listed =
  (state: string): Route =>
  () => ({
    policyDigest: 'sha256:set',
    capabilities: [
      { name: 'orders-db.read', state: 'as-declared', declared: 'sha256:read', found: 'sha256:read' },
      {
        name: 'orders-db.write',
        state,
        declared: 'sha256:write',
        found: null,
        ...(state === 'differs' && { differsSince: '2026-01-01T10:00:00.000Z' }),
      },
      { name: 'service.cert', state: 'not-declared', found: 'sha256:cert' },
      { name: 'payload.key', state: 'not-read' },
    ],
  });

it('lists what to declare, as a viewer', async () => {
  world = await startWorld({ 'GET /v1/capabilities': listed('as-declared') });
  const { code, out } = await world.run(['policy', 'digests']);
  expect(code).toBe(0);
  expect(out).toMatch(/service\.cert +not declared +sha256:cert/);
  expect(out).toMatch(/payload\.key +not read yet +-/);
  expect(world.asked.at(-1)?.authorization).toBe('Bearer token-of-viewer');
});

it('fails while something differs, and says what to do', async () => {
  world = await startWorld({ 'GET /v1/capabilities': listed('differs') });
  const { code, out } = await world.run(['policy', 'digests']);
  expect(code).toBe(1);
  expect(out).toMatch(/orders-db\.write +DIFFERS since 2026-01-01 10:00:00 +its policy or role is not in Vault/);
  expect(out).toContain('Change Vault back, or declare what is there now; the catalogue declares\n  orders-db.write: sha256:write');
});
