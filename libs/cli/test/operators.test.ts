import { afterEach, describe, expect, it } from '@jest/globals';
import { resolve } from 'node:path';
import { refused, startWorld, type Route } from './world.js';

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

describe('policy', () => {
  it('checks the example here, and applies it as admin', async () => {
    await setup({ 'POST /v1/policies': () => ({ policyDigest: 'sha256:1', changed: true, capabilities: 7, policies: 9 }) });
    expect(await world.run(['policy', 'check', EXAMPLE])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^valid: 7 capabilities, \d+ policies/),
    });
    expect(world.asked).toHaveLength(0);
    expect(await world.run(['policy', 'apply', EXAMPLE, '--yes'])).toMatchObject({ code: 0, out: expect.stringMatching(/^applied: /) });
    expect(world.asked.at(-1)?.authorization).toBe('Bearer token-of-admin');
    expect(Object.keys((lastBody() as { files: object }).files)).toEqual(expect.arrayContaining(['catalogue.yaml', 'policies/etl.cedar']));
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

  it('asks a person first', async () => {
    await setup({});
    expect(await world.run(['policy', 'apply', EXAMPLE], { interactive: true, ask: () => Promise.resolve('') })).toMatchObject({
      code: 1,
      out: 'nothing was changed\n',
    });
    expect(world.asked).toHaveLength(0);
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
});
