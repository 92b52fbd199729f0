import { afterEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readPolicyKeys, vouchForSet } from '@mayfly/policy';
import { lines, refused, startWorld, type Route } from './world.js';

const EXAMPLE = resolve('deploy/policies/example');
const GRANT = {
  taskId: 'etl-1',
  state: 'granted',
  agent: 'spiffe://example.org/agent/etl',
  workflow: { name: 'nightly-etl' },
  initiator: { id: 'alice\u001b[2J@example.org' },
  openedAt: '2026-01-01T10:00:00.000Z',
  traceId: 'abc',
  credentials: [{ name: 'orders', capability: 'orders-db.read', state: 'active', reasons: ['permitted'], fetches: 1, leases: [] }],
};
let world: Awaited<ReturnType<typeof startWorld>>;
afterEach(() => world.close());
const setup = async (routes: Readonly<Record<string, Route>>) => (world = await startWorld(routes));
const lastBody = (): unknown => JSON.parse(world.asked.at(-1)?.body ?? '');

describe('grants and timeline', () => {
  it('lists as a viewer, filtered, without control characters', async () => {
    await setup({ 'GET /v1/grants': () => ({ grants: [GRANT], cursor: 'next' }) });
    const { code, out } = await world.run(['grants', '--state', 'granted', '--limit', '5']);
    expect(code).toBe(0);
    expect(out.split('\n')[1]).toMatch(
      /^etl-1 {2}granted {2}nightly-etl {2}spiffe:\/\/example.org\/agent\/etl {2}alice \[2J@example.org {2}2026-01-01 10:00:00 {2}orders:active$/,
    );
    expect(out).toContain('npx mayfly grants --cursor next');
    const asked = world.asked.at(-1);
    expect([asked?.authorization, asked?.query.toString()]).toEqual(['Bearer token-of-viewer', 'state=granted&limit=5']);
  });

  it('tells a task in order, with what was proven', async () => {
    await setup({
      'GET /v1/tasks/etl-1/timeline': () => ({
        taskId: 'etl-1',
        grant: GRANT,
        entries: [
          { at: '2026-01-01T10:00:00.000Z', kind: 'dev.mayfly.evidence.task-requested.v1', by: 'issuer', data: {} },
          {
            at: '2026-01-01T10:00:02.500Z',
            kind: 'dev.mayfly.credential.revoked.v1',
            by: 'revoker',
            data: {
              credential: 'orders',
              capability: 'orders-db.read',
              cause: 'task_ended',
              proof: { shape: 'revocable', target: 'login role absent' },
            },
          },
        ],
      }),
    });
    const { out } = await world.run(['timeline', 'etl-1']);
    expect(out).toMatch(
      /10:00:02\.500 {4}\+2\.500 {2}revoker +credential\.revoked +orders {2}orders-db\.read {2}cause=task_ended {2}proof: login role absent\n$/,
    );
  });

  it('takes a token from the environment, unless --as names somebody', async () => {
    await setup({ 'GET /v1/grants': () => ({ grants: [] }) });
    await world.run(['grants'], { env: { MAYFLY_OPERATOR_TOKEN: 'mine' } });
    await world.run(['grants', '--as', 'admin'], { env: { MAYFLY_OPERATOR_TOKEN: 'mine' } });
    expect(world.asked.filter(({ path }) => path === '/v1/grants').map(({ authorization }) => authorization)).toEqual([
      'Bearer mine',
      'Bearer token-of-admin',
    ]);
  });

  it('says what the console refused', async () => {
    await setup({ 'GET /v1/grants': () => refused(403, 'forbidden') });
    expect(await world.run(['grants'])).toMatchObject({ code: 1, err: 'mayfly: this is forbidden (forbidden)\n' });
  });
});

const NONE = { total: {}, rows: [], more: false };
const ROW = { agent: 'spiffe://example.org/agent/etl', capability: 'orders-db.read', reasons: ['policy-denies'], policies: ['no-etl'] };
/** A plan by which so many of a hundred live leases would end. */
const plan = (leases: number) => ({
  policyDigest: 'sha256:new',
  current: 'sha256:old',
  usable: true,
  days: 7,
  live: { grants: 80, leases: 100 },
  lost: { total: { leases, permits: leases, grants: leases }, rows: [{ ...ROW, counts: { leases, permits: leases } }], more: false },
  gained: { ...NONE, total: { permits: 0, grants: 0 } },
  flipped: { ...NONE, total: { decisions: 12, toDeny: 0, toPermit: 0 } },
});
/** As the console streams it. */
const planned =
  (leases: number): Route =>
  () =>
    lines({ progress: { phase: 'live', done: 80, total: 80 } }, { plan: plan(leases) });
const applied: Route = () => ({ policyDigest: 'sha256:1', changed: true, capabilities: 7, policies: 9 });
const applies = () => world.asked.filter(({ method, path }) => method === 'POST' && path === '/v1/policies');

describe('policy', () => {
  it('checks the example here, and applies it as admin, against what it was planned for', async () => {
    await setup({ 'POST /v1/policies': applied, 'POST /v1/policies/plan': planned(0) });
    expect(await world.run(['policy', 'check', EXAMPLE])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^valid: 7 capabilities, \d+ policies/),
    });
    expect(world.asked).toHaveLength(0);
    expect(await world.run(['policy', 'apply', EXAMPLE, '--yes'])).toMatchObject({ code: 0, out: expect.stringMatching(/^applied: /) });
    expect(world.asked.at(-1)?.authorization).toBe('Bearer token-of-admin');
    expect(lastBody()).toMatchObject({ expected: 'sha256:old' });
    expect(Object.keys((lastBody() as { files: object }).files)).toEqual(expect.arrayContaining(['catalogue.yaml', 'policies/etl.cedar']));
  });

  it('plans: a table for people, one document for programs, nothing applied', async () => {
    await setup({ 'POST /v1/policies/plan': planned(3) });
    const { code, out } = await world.run(['policy', 'plan', EXAMPLE, '--days', '3']);
    expect(code).toBe(0);
    expect(lastBody()).toMatchObject({ days: 3 });
    expect(out).toContain('lost: 3 leases, 3 permits of 3 grants');
    expect(out).toMatch(/spiffe:\/\/example.org\/agent\/etl {2}- +orders-db\.read {2}3 +3 +no-etl policy-denies/);
    expect(out).toContain('of 12 decisions of the last 7 days: 0 would be denied, 0 permitted');
    expect(JSON.parse((await world.run(['policy', 'plan', EXAMPLE, '--json'])).out)).toEqual(plan(3));
    const person = await world.run(['policy', 'plan', EXAMPLE], { interactive: true });
    expect(person.err).toContain('deciding live grants again: 80 of 80');
    expect(world.asked.every(({ path }) => path !== '/v1/policies')).toBe(true);
  });

  it('says why a plan broke off', async () => {
    await setup({
      'POST /v1/policies/plan': () => lines({ problem: { code: 'store-unavailable', status: 503, detail: 'the ledger is away' } }),
    });
    expect(await world.run(['policy', 'plan', EXAMPLE])).toMatchObject({
      code: 1,
      err: 'mayfly: the ledger is away (store-unavailable)\n',
    });
    await world.close();
    await setup({ 'POST /v1/policies/plan': () => lines({ progress: { phase: 'live', done: 1, total: 9 } }) });
    expect(await world.run(['policy', 'plan', EXAMPLE])).toMatchObject({ code: 1, err: expect.stringContaining('broke off') });
  });

  it.each([
    ['a fifth of the live leases', 20, [], 0],
    ['more than a fifth of them', 21, [], 1],
    ['more than a fifth of them, expressly', 21, ['--yes'], 0],
    ['as many as --max-lost allows', 21, ['--max-lost', '21'], 0],
    ['more than --max-lost allows, even with --yes', 21, ['--max-lost', '20', '--yes'], 1],
  ])('%s: %i of 100 with %j ends with %i', async (_, leases, options, code) => {
    await setup({ 'POST /v1/policies': applied, 'POST /v1/policies/plan': planned(leases) });
    const done = await world.run(['policy', 'apply', EXAMPLE, ...options]);
    expect([done.code, applies().length]).toEqual([code, code === 0 ? 1 : 0]);
    expect(done.out).toMatch(code === 0 ? /^applied/ : /^refused: 21 .*nothing was changed\n$/);
    expect(done.err).toContain(`lost: ${leases} leases`);
  });

  it('sends nothing that is not a policy set, and says what is wrong with it', async () => {
    await setup({});
    expect(await world.run(['policy', 'apply', '.', '--yes'])).toMatchObject({
      code: 1,
      err: 'mayfly: catalogue.yaml: is missing (invalid-policy-set)\n',
    });
    expect(await world.run(['policy', 'check', 'nowhere'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('nowhere is no folder'),
    });
    expect(world.asked).toHaveLength(0);
  });

  it('shows a person the plan and asks first', async () => {
    await setup({ 'POST /v1/policies/plan': planned(1) });
    expect(await world.run(['policy', 'apply', EXAMPLE], { interactive: true, ask: () => Promise.resolve('') })).toMatchObject({
      code: 1,
      out: 'nothing was changed\n',
      err: expect.stringContaining('lost: 1 leases'),
    });
    expect(applies()).toEqual([]);
  });

  it.each(['P-256', 'ed25519'])('signs with a %s key; the file, or the key itself, goes along with the set', async (kind) => {
    await setup({ 'POST /v1/policies': applied, 'POST /v1/policies/plan': planned(0) });
    const { privateKey } = kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: kind });
    writeFileSync(join(world.home, 'policy.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const signed = await world.run(['policy', 'sign', EXAMPLE, '--key', 'policy.pem', '--out', 'set.jws', '--jwks', 'keys.json', '--json']);
    expect(signed.code).toBe(0);
    const { policyDigest, signer } = JSON.parse(signed.out) as { policyDigest: string; signer: string };
    const keys = readPolicyKeys(readFileSync(join(world.home, 'keys.json'), 'utf8'), 'production');
    const vouched = (signature: string) => vouchForSet(policyDigest, signature, { keys, unsigned: 'refused' });
    for (const options of [
      ['--signature', 'set.jws'],
      ['--key', 'policy.pem'],
    ]) {
      expect((await world.run(['policy', 'apply', EXAMPLE, '--yes', ...options])).code).toBe(0);
      expect(await vouched((lastBody() as { signature: string }).signature)).toBe(signer);
    }
    expect((await world.run(['policy', 'apply', EXAMPLE, '--key', 'policy.pem', '--signature', 'set.jws'])).code).toBe(2);
    expect(await world.run(['policy', 'apply', EXAMPLE, '--signature', 'none.jws'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('none.jws'),
    });
  });

  const SWITCHES = [
    {
      policyDigest: 'sha256:bb',
      current: true,
      kind: 'applied',
      previous: 'sha256:aa',
      operator: 'ada',
      signer: 'k1',
      at: '2026-01-02T10:00:00.000Z',
    },
    { policyDigest: 'sha256:aa', current: false, kind: 'applied', operator: 'ada', at: '2026-01-01T10:00:00.000Z' },
  ];
  it('lists what was in force', async () => {
    await setup({ 'GET /v1/policies': () => ({ policies: SWITCHES }) });
    expect((await world.run(['policy', 'list'])).out).toMatch(/^\* +2026-01-02 10:00:00 +sha256:bb +applied +ada +k1$/m);
    const policies = SWITCHES.map((one) => ({ ...one, current: false }));
    await setup({ 'GET /v1/policies': () => ({ current: 'sha256:cc', policies }) });
    expect((await world.run(['policy', 'list'])).out).toContain('in force: sha256:cc, which came to be in another way');
  });

  it.each([
    [[], 'sha256:aa'],
    [['sha256:b'], 'sha256:bb'],
  ])('goes back with one command %j', async (named, policyDigest) => {
    await setup({
      'GET /v1/policies': () => ({ policies: SWITCHES }),
      'POST /v1/policies/rollback': () => ({ policyDigest, changed: true }),
    });
    expect(await world.run(['policy', 'rollback', ...named, '--reason', 'bad'])).toMatchObject({
      code: 0,
      out: `back at: ${policyDigest}\n`,
    });
    expect(lastBody()).toEqual({ policyDigest, reason: 'bad' });
    expect(await world.run(['policy', 'rollback', 'sha256:'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('more than one policy set'),
    });
  });
});

describe('revoke', () => {
  const two: Route = ({ body }) => ({ dryRun: (JSON.parse(body) as { dryRun: boolean }).dryRun, count: 2, tasks: ['a', 'b'] });

  it('ends what one selector names, as operator', async () => {
    await setup({ 'POST /v1/revocations': two });
    expect(await world.run(['revoke', '--task', 'a', '--reason', 'leak'])).toMatchObject({ code: 0, out: 'ended 2 live tasks: a, b\n' });
    expect(lastBody()).toEqual({ selector: { taskId: 'a' }, reason: 'leak', dryRun: false });
    expect(world.asked.at(-1)?.authorization).toBe('Bearer token-of-operator');
  });

  it('only tells with --dry-run', async () => {
    await setup({ 'POST /v1/revocations': two });
    expect((await world.run(['revoke', '--agent', 'x', '--reason', 'r', '--dry-run'])).out).toBe('would end 2 live tasks: a, b\n');
    expect(lastBody()).toMatchObject({ dryRun: true });
  });

  it('shows a person what would end, and ends nothing without a yes', async () => {
    await setup({ 'POST /v1/revocations': two });
    let question = '';
    const ask = (text: string): Promise<string> => Promise.resolve(((question = text), 'n'));
    expect(await world.run(['revoke', '--agent', 'x', '--reason', 'r'], { interactive: true, ask })).toMatchObject({
      code: 1,
      out: 'nothing was ended\n',
    });
    expect(question).toBe('End 2 live tasks: a, b? [y/N] ');
    expect(world.asked.filter(({ path }) => path === '/v1/revocations').map(({ body }) => body)).toEqual([
      expect.stringContaining('"dryRun":true'),
    ]);
  });

  const order = (state: string, dead: number) => ({
    id: 'o1',
    state,
    ended: 2,
    endingBefore: 0,
    leases: { all: 3, dead, accessEnded: 0, open: 3 - dead, stuck: 0 },
    problems: [
      { capability: 'bastion.ssh', shape: 'expiry-only', state: 'revoking', leases: 3 - dead, expiresAt: '2026-01-01T10:05:00.000Z' },
    ],
    ...(state === 'dark' && { secondsToDark: 1.25 }),
  });
  it('follows the order until all is dark, and says how long that took', async () => {
    const seen = [order('ending', 0), order('ended', 1), order('dark', 3)];
    await setup({
      'POST /v1/revocations': () => ({ dryRun: false, count: 2, tasks: ['a', 'b'], ...order('ending', 0) }),
      'GET /v1/revocations/o1': () => (seen.length > 1 ? seen.shift() : seen[0]),
    });
    expect(await world.run(['revoke', '--agent', 'x', '--reason', 'r'])).toMatchObject({
      code: 0,
      out: 'ended 2 live tasks: a, b\ndark after 1.25 s: 3 of 3 credentials confirmed dead\n',
    });
    expect((await world.run(['revoke', '--agent', 'x', '--reason', 'r', '--no-wait'])).out).toBe('ended 2 live tasks: a, b\n');
    expect((await world.run(['revocations', 'o1'])).code).toBe(0);
  });

  it('tells what cannot be revoked from what is proven dead', async () => {
    const dark = order('dark', 3);
    const leases = { ...dark.leases, dead: 1, accessEnded: 2 };
    await setup({
      'GET /v1/revocations/o1': () => ({ ...dark, leases }),
      'GET /v1/revocations': () => ({ revocations: [{ ...dark, leases, at: '2026-01-01', selector: {}, operator: 'o', reason: 'r' }] }),
    });
    expect((await world.run(['revocations', 'o1'])).out).toContain(
      '1 of 3 credentials confirmed dead, access ended to 2 that cannot be revoked; whoever copied those has them still',
    );
    expect((await world.run(['revocations'])).out).toContain('ACCESS ENDED');
  });

  it('ends with 1 and says what resists when it is not dark in time', async () => {
    await setup({
      'POST /v1/revocations': () => ({ dryRun: false, count: 2, tasks: ['a', 'b'], ...order('ending', 0) }),
      'GET /v1/revocations/o1': () => order('ended', 2),
    });
    const { code, out } = await world.run(['revoke', '--agent', 'x', '--reason', 'r', '--wait', '0s']);
    expect(code).toBe(1);
    expect(out).toContain('not dark yet: 2 of 3 credentials confirmed dead');
    expect(out).toContain('1 of bastion.ssh revoking, until 10:05:00 UTC at the latest; nobody can revoke these earlier');
  });
});
