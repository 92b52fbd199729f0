import { describe, expect, test } from '@jest/globals';
import { ENGINES, plusSeconds, type Capability, type Shape } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';
import {
  confirm,
  quarantine,
  reaperOf,
  shapesOf,
  strike,
  type Circumstances,
  type Doomed,
  type Killers,
  type Verdict,
} from '@mayfly/revocation';
import { asked, doomed, GRANT, killersIn, neverWritten, NOW, TOKEN_GONE } from './world.js';

const DEAD = killersIn({ lease: 'gone', target: 'dead' });
const MINT_OVER = plusSeconds(NOW, 20);
const after = (seconds: number): Date => plusSeconds(MINT_OVER, seconds);
const at = (changes: Partial<Circumstances> = {}): Circumstances => ({ now: NOW, unexplained: async (names) => names, ...changes });
const settled = (until: Date | undefined, killers: Killers = DEAD): Killers => ({ ...killers, settledUntil: () => until });
const unwritten = (spec: Partial<Capability> = {}): Doomed => doomed('revocable', { spec, lease: neverWritten });

/** A target `orders-db` at which these users of the grant exist, and what was done to them. */
function database(...existing: string[]): { killers: Killers; done: unknown[][] } {
  const done: unknown[][] = [];
  const reached = {
    targets: ['orders-db', 'stock-db'],
    principals: async (target: string, grantId: string) => (target === 'orders-db' && grantId === GRANT ? existing : []),
    quarantine: async (...call: unknown[]) => void done.push(call),
  };
  return { killers: { ...DEAD, quarantine: reached }, done };
}

describe('a lease whose id nobody lived to write down', () => {
  const one = unwritten({ probe: false });

  test('is dead once its token is gone, without a word about what was not looked at', async () => {
    expect(await confirm(one, DEAD, at({ tokenProof: TOKEN_GONE }))).toEqual({
      kind: 'over',
      state: 'revoked',
      proof: { shape: 'revocable', lease: 'lease id never seen; its token is gone', token: TOKEN_GONE },
    });
  });

  test('is dead while its token lives once all that began before its mint was over is settled', async () => {
    expect(await confirm(one, settled(after(0.001)), at())).toEqual({
      kind: 'over',
      state: 'revoked',
      proof: { shape: 'revocable', lease: 'lease id never seen; vault has no lease of its role that the ledger does not name' },
    });
  });

  test.each<[string, Date | undefined]>([
    ['nobody knows until when it is settled', undefined],
    ['it is settled until just when its mint was over', MINT_OVER],
  ])('is looked at again in 5 s for two minutes, then a problem, while %s', async (_, until) => {
    const [early, late] = [after(119.999), after(120)];
    expect(await confirm(one, settled(until), at({ now: early }))).toEqual({ kind: 'later', at: plusSeconds(early, 5) });
    expect(await confirm(one, settled(until), at({ now: late }))).toEqual({ kind: 'alive', problem: 'lease-id-unknown' });
  });
});

describe('a lease of Vault', () => {
  test('is revoked by its id; where nobody knows that, Vault is asked nothing', async () => {
    asked.revoked = [];
    expect(await strike(unwritten(), DEAD)).toBeUndefined();
    expect(asked.revoked).toEqual([]);
    expect(await strike(doomed('revocable'), DEAD)).toBeUndefined();
    expect(asked.revoked).toEqual(['database/creds/x']);
  });
});

describe('a database user', () => {
  const its = { spec: { target: 'orders-db' } };
  const explained = { unexplained: async (names: readonly string[]) => names.filter((name) => name !== 'sibling') };

  test.each([
    [['sibling'], { kind: 'over', proof: { target: 'postgres: 0 users of the grant that nothing explains' } }],
    [['sibling', 'stray'], { kind: 'alive', problem: 'target-still-accepts' }],
  ])('without a name is dead while its task lives when all users of the grant are explained; they are %j', async (users, verdict) => {
    asked.subjects = [];
    const { killers } = database(...users);
    expect(await confirm(unwritten(its.spec), settled(after(1), killers), at(explained))).toMatchObject(verdict);
    expect(asked.subjects).toEqual([]);
  });

  test.each<[string, Doomed, Partial<Circumstances>]>([
    ['its name is known', doomed('revocable', its), {}],
    ['its whole grant ends', unwritten(its.spec), { tokenProof: TOKEN_GONE }],
    ['its target is out of reach', unwritten({ target: 'elsewhere' }), {}],
    ['its target has no name', unwritten(), {}],
  ])('is asked about by the probe, whatever else the grant has, where %s', async (_, one, circumstances) => {
    const { killers } = database('stray');
    expect(await confirm(one, settled(after(1), killers), at(circumstances))).toMatchObject({
      kind: 'over',
      proof: { target: 'postgres: 0 login roles, 0 open sessions' },
    });
  });

  describe('of a grant that is over', () => {
    const named = doomed('revocable', { ...its, lease: { principal: `token-${GRANT}-x` } });
    /** By whose names the target is asked, and whether it is said to be searched. */
    const asking = async (one: Doomed, killers: Killers) => {
      asked.subjects = [];
      const { kind, searched } = (await confirm(one, killers, at({ tokenProof: TOKEN_GONE }))) as Extract<Verdict, { kind: 'over' }>;
      return { kind, searched, names: asked.subjects.map(({ principal }) => principal) };
    };

    test('is asked about together with all that nobody wrote down: the target is searched with it', async () => {
      expect(await asking(named, DEAD)).toEqual({ kind: 'over', searched: 'orders-db', names: [undefined] });
    });

    test('is judged by its own name where something else of the grant lives, and the target still has to be searched', async () => {
      const probe: Killers['probe'] = {
        probe: async (subject) => ({ ...(await DEAD.probe.probe(subject)), dead: subject.principal !== undefined }),
      };
      const names = [undefined, `token-${GRANT}-x`];
      expect(await asking(named, { ...DEAD, probe })).toEqual({ kind: 'over', searched: undefined, names });
    });

    test('is asked about by its own name where that does not carry the id of its grant', async () => {
      const strange = doomed('revocable', { ...its, lease: { principal: 'somebody' } });
      expect(await asking(strange, DEAD)).toEqual({ kind: 'over', searched: undefined, names: ['somebody'] });
    });
  });

  test.each<[string, Partial<Lease>, string[], string[]]>([
    ['itself alone', {}, ['token-user', 'sibling', 'stray'], ['token-user']],
    ['nobody when it is gone', {}, ['sibling', 'stray'], []],
    ['without a name: every user that nothing explains', neverWritten, ['sibling', 'stray', 'other'], ['stray', 'other']],
  ])('is ended at its target: %s', async (_, lease, users, ended) => {
    for (const forgotten of [true, false]) {
      const { killers, done } = database(...users);
      expect(await quarantine(doomed('revocable', { ...its, lease }), killers, at(explained), forgotten)).toBe(ended.length);
      expect(done).toEqual(ended.map((name) => ['orders-db', name, forgotten]));
    }
  });

  test.each<[string, Partial<Capability>]>([
    ['another', { target: 'elsewhere' }],
    ['an unnamed', {}],
  ])('at %s target is left to Vault', async (_, spec) => {
    const { killers, done } = database('token-user');
    expect(await quarantine(doomed('revocable', { spec }), killers, at(), true)).toBeUndefined();
    expect(done).toEqual([]);
  });
});

describe('a certificate', () => {
  const pki = { engine: 'pki' } as const;

  test('on the revocation list says so in its proof', async () => {
    expect(await confirm(doomed('revocable', { spec: pki }), DEAD, at())).toMatchObject({
      proof: { target: 'serial number is on the revocation list' },
    });
  });

  test('that was never written down was handed to nobody, so that no list is asked for it', async () => {
    asked.serials = [];
    const accepting = killersIn({ lease: 'gone', target: 'accepts' });
    expect(await confirm(unwritten(pki), accepting, at({ tokenProof: TOKEN_GONE }))).toMatchObject({
      kind: 'over',
      proof: { target: 'certificate was never handed out' },
    });
    expect(asked.serials).toEqual([]);
  });
});

describe('what nobody can end early', () => {
  test.each([undefined, TOKEN_GONE])('says until when it was valid, and of its token what is known: %s', async (tokenProof) => {
    const lease = 'validity ended 2026-01-01T00:01:00.000Z';
    expect(await confirm(doomed('expiry-only'), DEAD, at({ now: plusSeconds(NOW, 60), tokenProof }))).toStrictEqual({
      kind: 'over',
      state: 'expired',
      proof: { shape: 'expiry-only', lease, ...(tokenProof && { token: tokenProof }) },
    });
  });

  test('says how long it could have lived where nobody knows whether it did', async () => {
    expect(await confirm(doomed('expiry-only', { lease: neverWritten }), DEAD, at({ now: after(60) }))).toEqual({
      kind: 'over',
      state: 'expired',
      proof: { shape: 'expiry-only', lease: 'never handed out; the longest validity ended 2026-01-01T00:01:20.000Z' },
    });
  });
});

describe('the table of reapers', () => {
  const shapes: readonly Shape[] = ['revocable', 'expiry-only', 'static'];

  test('has for every engine the shapes that it can honestly have, and no other', () => {
    expect(Object.fromEntries(ENGINES.map((engine) => [engine, shapesOf(engine)]))).toEqual({
      database: ['revocable'],
      kv: ['static'],
      pki: ['revocable', 'expiry-only'],
      ssh: ['expiry-only'],
      transit: ['static'],
    });
    for (const engine of ENGINES)
      expect(shapes.filter((shape) => reaperOf({ engine, shape }, DEAD))).toEqual(shapes.filter((each) => shapesOf(engine).includes(each)));
  });

  test.each<[Shape, Capability['engine']]>([
    ['revocable', 'pki'],
    ['expiry-only', 'ssh'],
    ['static', 'kv'],
    ['revocable', 'kv'],
  ])('ends no %s lease of %s at a target', async (shape, engine) => {
    const { killers, done } = database('token-user');
    expect(await quarantine(doomed(shape, { spec: { engine, target: 'orders-db' } }), killers, at(), true)).toBeUndefined();
    expect(done).toEqual([]);
  });

  test('ends nothing without a specification, which is no failure', async () => {
    const { lease, credential } = doomed('revocable');
    const { spec: _, ...bare } = credential;
    expect(await quarantine({ lease, credential: bare }, DEAD, at(), true)).toBeUndefined();
  });
});
