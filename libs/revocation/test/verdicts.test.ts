import { describe, expect, test } from '@jest/globals';
import { plusSeconds, type Capability, type Shape } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';
import { confirm as look, problemOf, shapesOf, strike, type Doomed, type Killers, type Verdict } from '@mayfly/revocation';
import fc from 'fast-check';
import { asked, doomed, killersIn, neverWritten, NOW, GRANT, TOKEN_GONE, type World } from './world.js';

const confirm = (one: Doomed, killers: Killers, now: Date, tokenProof: string | undefined): Promise<Verdict> =>
  look(one, killers, { now, tokenProof, unexplained: async (principals) => principals });
const short = (verdict: Verdict): string =>
  verdict.kind === 'over' ? verdict.state : verdict.kind === 'alive' ? verdict.problem : 'later';

describe('a revocable lease', () => {
  test.each<[World['lease'], World['target'], string]>([
    ['gone', 'dead', 'revoked'],
    ['gone', 'accepts', 'target-still-accepts'],
    ['gone', 'away', 'target-unavailable'],
    ['known', 'dead', 'lease-still-known'],
    ['known', 'accepts', 'lease-still-known'],
    ['away', 'dead', 'vault-unavailable'],
  ])('Vault says %s, its target says %s: %s', async (lease, target, verdict) => {
    for (const token of [undefined, TOKEN_GONE])
      expect(short(await confirm(doomed('revocable'), killersIn({ lease, target }), NOW, token))).toBe(verdict);
  });

  test('without a probe is dead when Vault says so', async () => {
    const one = doomed('revocable', { spec: { probe: false } });
    expect(short(await confirm(one, killersIn({ lease: 'gone', target: 'accepts' }), NOW, undefined))).toBe('revoked');
  });

  test('whose id nobody lived to write down is alive until its token is proven gone', async () => {
    const one = doomed('revocable', { lease: neverWritten });
    const world = killersIn({ lease: 'gone', target: 'dead' });
    expect(short(await confirm(one, world, NOW, undefined))).toBe('later');
    expect(await confirm(one, world, NOW, TOKEN_GONE)).toMatchObject({ kind: 'over', state: 'revoked', proof: { token: TOKEN_GONE } });
    const accepting = killersIn({ lease: 'gone', target: 'accepts' });
    expect(short(await confirm(one, accepting, NOW, TOKEN_GONE))).toBe('target-still-accepts');
  });

  test('is asked about at its target by its principal, or by its grant when that is unknown', async () => {
    asked.subjects = [];
    const world = killersIn({ lease: 'gone', target: 'dead' });
    await confirm(doomed('revocable'), world, NOW, undefined);
    await confirm(doomed('revocable', { lease: neverWritten }), world, NOW, TOKEN_GONE);
    expect(asked.subjects.map(({ principal, grantId: id }) => [principal, id])).toEqual([
      ['token-user', GRANT],
      [undefined, GRANT],
    ]);
  });

  test('of a certificate is dead when its serial number is on the revocation list', async () => {
    asked.serials = [];
    const one = doomed('revocable', { spec: { engine: 'pki' }, lease: { principal: '0a:1b' } });
    expect(short(await confirm(one, killersIn({ lease: 'gone', target: 'accepts' }), NOW, undefined))).toBe('target-still-accepts');
    expect(short(await confirm(one, killersIn({ lease: 'gone', target: 'dead' }), NOW, undefined))).toBe('revoked');
    expect(asked.serials).toEqual(['0a:1b', '0a:1b']);
  });

  test('says what was checked, and nothing that would let its reader act', async () => {
    const verdict = await confirm(doomed('revocable'), killersIn({ lease: 'gone', target: 'dead' }), NOW, TOKEN_GONE);
    expect(verdict).toEqual({
      kind: 'over',
      state: 'revoked',
      proof: {
        shape: 'revocable',
        lease: 'vault: invalid lease',
        token: TOKEN_GONE,
        target: 'postgres: 0 login roles, 0 open sessions',
      },
    });
    expect(JSON.stringify(verdict)).not.toContain('database/creds/x');
  });
});

describe('an expiry-only lease', () => {
  const world = killersIn({ lease: 'gone', target: 'dead' });

  test('is looked at again when its validity ends, and not called dead a moment earlier', async () => {
    const one = doomed('expiry-only');
    expect(await confirm(one, world, plusSeconds(NOW, 59.999), TOKEN_GONE)).toEqual({ kind: 'later', at: plusSeconds(NOW, 60) });
    expect(await confirm(one, world, plusSeconds(NOW, 60), undefined)).toMatchObject({ kind: 'over', state: 'expired' });
  });

  test('without a known end is alive', async () => {
    const one = doomed('expiry-only', { lease: { expiresAt: undefined } as unknown as Partial<Lease> });
    expect(short(await confirm(one, world, plusSeconds(NOW, 1e9), TOKEN_GONE))).toBe('no-expiry');
  });

  test('that was never written down was handed to nobody: only the way to it can be said to be closed', async () => {
    const one = doomed('expiry-only', { lease: neverWritten });
    expect(await confirm(one, world, NOW, undefined)).toEqual({ kind: 'later', at: plusSeconds(NOW, 20 + 60) });
    expect(await confirm(one, world, plusSeconds(NOW, 80), undefined)).toMatchObject({ kind: 'over', state: 'expired' });
    expect(await confirm(one, world, NOW, TOKEN_GONE)).toEqual({
      kind: 'over',
      state: 'access_ended',
      proof: { shape: 'expiry-only', lease: 'never handed out; its token is gone', token: TOKEN_GONE },
    });
  });
});

test('a static lease is over as soon as it is not handed out again; nothing more is claimed', async () => {
  const world = killersIn({ lease: 'known', target: 'accepts' });
  expect(await confirm(doomed('static'), world, NOW, undefined)).toEqual({
    kind: 'over',
    state: 'access_ended',
    proof: { shape: 'static', lease: 'static: not handed out again' },
  });
  expect(await confirm(doomed('static'), world, NOW, TOKEN_GONE)).toMatchObject({ state: 'access_ended', proof: { token: TOKEN_GONE } });
});

test('a credential without a specification is alive: nobody knows what would prove its death', async () => {
  const { lease, credential } = doomed('revocable');
  const { spec: _, ...bare } = credential;
  const verdict = await confirm({ lease, credential: bare }, killersIn({ lease: 'gone', target: 'dead' }), NOW, TOKEN_GONE);
  expect(short(verdict)).toBe('no-specification');
});

test('whatever the world is like: `revoked` is said of revocable leases only, and only if all that can be asked says so', async () => {
  const maybe = <T>(value: T) => fc.constantFrom(value, undefined);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        shape: fc.constantFrom<Shape>('revocable', 'expiry-only', 'static'),
        engine: fc.constantFrom<Capability['engine']>('database', 'pki', 'ssh', 'kv', 'transit'),
        probe: fc.boolean(),
        lease: fc.constantFrom<World['lease']>('gone', 'known', 'away'),
        target: fc.constantFrom<World['target']>('dead', 'accepts', 'away'),
        token: maybe(TOKEN_GONE),
        seconds: fc.integer({ min: -120, max: 120 }),
        written: fc.record({
          issuedAt: maybe(NOW),
          vaultLeaseId: maybe('database/creds/x'),
          principal: maybe('token-user'),
          expiresAt: maybe(plusSeconds(NOW, 60)),
        }),
      }),
      async ({ shape, engine, probe, lease, target, token, seconds, written }) => {
        const one = doomed(shape, { spec: { engine, probe }, lease: written as Partial<Lease> });
        const now = plusSeconds(NOW, seconds);
        const verdict = await confirm(one, killersIn({ lease, target }), now, token);
        if (verdict.kind !== 'over') return;
        expect(shapesOf(engine)).toContain(shape);
        if (verdict.state === 'revoked') {
          expect(shape).toBe('revocable');
          if (written.vaultLeaseId) expect(lease).toBe('gone');
          else expect(token).toBeDefined();
          if (probe && !(engine === 'pki' && !written.principal)) expect(target).toBe('dead');
        }
        if (verdict.state === 'expired') {
          const validUntil = written.issuedAt ? written.expiresAt! : plusSeconds(NOW, 20 + 60);
          expect([shape, validUntil <= now]).toEqual(['expiry-only', true]);
        }
        if (verdict.state === 'access_ended') expect(shape === 'static' || (shape === 'expiry-only' && !written.issuedAt)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

describe('a strike', () => {
  const world = killersIn({ lease: 'gone', target: 'dead' });

  test('revokes what Vault can revoke, and nothing else', async () => {
    asked.revoked = [];
    for (const shape of ['revocable', 'expiry-only', 'static'] as const) expect(await strike(doomed(shape), world)).toBeUndefined();
    expect(await strike(doomed('revocable', { lease: neverWritten }), world)).toBeUndefined();
    expect(asked.revoked).toEqual(['database/creds/x']);
  });

  test('that fails is a code, not an exception', async () => {
    expect(await strike(doomed('revocable'), killersIn({ lease: 'away', target: 'dead' }))).toBe('vault-unavailable');
    expect(
      await problemOf(async () => {
        throw new TypeError('hunter2');
      }),
    ).toBe('unexpected');
  });
});
