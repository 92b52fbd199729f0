import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newOrderId } from '@mayfly/domain';
import { ROLES, type Role } from '@mayfly/identity';
import { readPolicyFiles, readPolicySet } from '@mayfly/policy';
import { amendGrant, currentPolicyDigest, endGrant, findGrantByTask, lockGrant, noteVaultDigest, readTaskEntries } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, granted, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { cursorAfter } from '../src/cursor.js';
import { revoke, startConsole, type Call, type Console } from './world.js';

let world: Console;
let ledger: Ledger;
const call: Console['call'] = (...given) => world.call(...given);
beforeAll(async () => {
  world = await startConsole();
  ({ ledger } = world);
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => world?.close());

describe('who may do what', () => {
  const routes: readonly [string, () => Promise<Call> | Call, readonly Role[], number][] = [
    ['GET grants', () => ({ path: 'grants' }), ROLES, 200],
    ['GET a timeline', async () => ({ path: `tasks/${(await granted(ledger.database)).grant.taskId}/timeline` }), ROLES, 200],
    ['GET a task’s evidence', () => ({ path: 'tasks/any/evidence' }), ROLES, 200],
    ['GET the log', () => ({ path: 'evidence' }), ROLES, 200],
    ['GET the checkpoint', () => ({ path: 'checkpoint' }), ROLES, 200],
    ['POST revocations', () => revoke({ tenant: 'nobody' }), ['operator', 'admin'], 202],
    ['GET revocations', () => ({ path: 'revocations' }), ROLES, 200],
    ['GET one revocation', () => ({ path: `revocations/${newOrderId()}` }), ROLES, 404],
    [
      'POST a reinstatement',
      async () => ({ method: 'POST', path: `tasks/${(await granted(ledger.database)).grant.taskId}/reinstate`, body: { reason: 'test' } }),
      ['operator', 'admin'],
      200,
    ],
    ['GET capabilities', () => ({ path: 'capabilities' }), ROLES, 200],
    ['GET policies', () => ({ path: 'policies' }), ROLES, 200],
    [
      'POST policies/plan',
      async () => ({ method: 'POST', path: 'policies/plan', body: { files: await readPolicyFiles('deploy/policies/example') } }),
      ['approver', 'operator', 'admin'],
      200,
    ],
    ['POST policies/rollback', () => ({ method: 'POST', path: 'policies/rollback', body: { reason: 'test' } }), ['admin'], 404],
    [
      'POST policies',
      async () => ({ method: 'POST', path: 'policies', body: { files: await readPolicyFiles('deploy/policies/example') } }),
      ['admin'],
      200,
    ],
  ];

  describe.each(routes)('%s', (_, request, allowed, status) => {
    test.each(ROLES)('%s', async (role) => {
      const answer = await call(await request(), role);
      if (allowed.includes(role)) expect(answer.status).toBe(status);
      else expect(answer).toMatchObject({ status: 403, type: 'application/problem+json', body: { code: 'forbidden' } });
    });

    test('[bad 63] no workload, however well it proves itself', async () => {
      expect(await call(await request(), 'agent')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    });

    test('nobody without a role, and nobody without a proof', async () => {
      expect(await call(await request(), 'none')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      for (const token of ['', 'forged'])
        expect(await call(await request(), token)).toMatchObject({ status: 401, body: { code: 'invalid-token' } });
    });
  });

  test('several roles add up', async () => {
    expect((await call(revoke({ tenant: 'nobody' }), 'viewer+operator')).status).toBe(202);
  });
});

describe('a reinstatement', () => {
  const reinstate = (taskId: string, body: unknown = { reason: 'it was our own test' }) =>
    call({ method: 'POST', path: `tasks/${taskId}/reinstate`, body }, 'operator');

  test('gives a suspended task back what policy permits, with who and why as evidence', async () => {
    const { grant } = await granted(ledger.database);
    await amendGrant(ledger.database, grant.id, 'granted', { behaviour: 'suspended' });
    expect(await reinstate(grant.taskId)).toMatchObject({
      status: 200,
      body: { taskId: grant.taskId, was: 'suspended', behaviour: 'normal' },
    });
    expect((await findGrantByTask(ledger.database, grant.taskId))?.behaviour).toBe('normal');
    const facts = (await readTaskEntries(ledger.database, grant.taskId)).filter(({ kind }) => kind.endsWith('reinstated.v1'));
    expect(facts).toMatchObject([
      { by: 'console', data: { reason: 'it was our own test', from: 'suspended', operator: expect.any(String) } },
    ]);
    // Once more does nothing, and leaves no evidence of anything.
    expect(await reinstate(grant.taskId)).toMatchObject({ status: 200, body: { was: 'normal' } });
    expect((await readTaskEntries(ledger.database, grant.taskId)).filter(({ kind }) => kind.endsWith('reinstated.v1'))).toHaveLength(1);
  });

  test('needs a reason, and a task that lives', async () => {
    const { grant } = await granted(ledger.database);
    expect(await reinstate(grant.taskId, {})).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await reinstate('nobody-knows')).toMatchObject({ status: 404, body: { code: 'task-not-found' } });
    await ledger.database.transaction('test', async (tx) => {
      await endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'revoker', at: AT });
    });
    expect(await reinstate(grant.taskId)).toMatchObject({ status: 410, body: { code: 'task-closed' } });
  });
});

test('capabilities say what the catalogue declares of Vault, what was found, and since when they differ', async () => {
  const list = async () => (await call({ path: 'capabilities' }, 'viewer')).body as { capabilities: Record<string, unknown>[] };
  const one = async (name: string) => (await list()).capabilities.find((each) => each['name'] === name)!;
  expect(await one('orders-db.read')).toMatchObject({ state: 'not-read', engine: 'database', onVaultDrift: 'alarm' });
  const { capability } = readPolicySet(await readPolicyFiles('deploy/policies/example'));
  const note = (name: string, found: string | null) =>
    ledger.database.transaction('test', (tx) => noteVaultDigest(tx, { capability: capability(name)!, found, at: AT }));
  await note('orders-db.read', null);
  await note('orders-db.write', capability('orders-db.write')!.vaultDigest!);
  await note('service.cert', 'sha256:any');
  expect(await one('orders-db.read')).toMatchObject({ state: 'differs', found: null, differsSince: AT.toISOString() });
  expect(await one('orders-db.write')).toMatchObject({ state: 'as-declared', declared: capability('orders-db.write')!.vaultDigest });
  expect(await one('service.cert')).toMatchObject({ state: 'not-declared', found: 'sha256:any' });
  expect(await one('service.cert')).not.toHaveProperty('declared');
});

describe('grants', () => {
  test('are listed newest first, a page at a time, each once', async () => {
    const workflow = { name: 'paging' };
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1)
      ids.push(
        (await granted(ledger.database, { start: task({ workflow }), openedAt: new Date(AT.getTime() + Math.floor(at / 2)) })).grant.taskId,
      );
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await call({ path: `grants?workflow=paging&limit=2${cursor ? `&cursor=${cursor}` : ''}` });
      seen.push(...(body['grants'] as { taskId: string }[]).map(({ taskId }) => taskId));
      cursor = body['cursor'] as string | undefined;
    } while (cursor);
    expect([...seen].sort()).toEqual([...ids].sort());
    expect(seen[0]).toBe(ids[4]);
  });

  test('show nothing that would let their reader act', async () => {
    const { grant, lease } = await granted(ledger.database);
    await amendGrant(ledger.database, grant.id, 'granted', { sealedToken: 'hidden-sealed', tokenAccessor: 'hidden-accessor' });
    const { body } = await call({ path: `grants?taskId=${grant.taskId}` });
    expect(body['grants']).toMatchObject([{ taskId: grant.taskId, credentials: [{ state: 'active', leases: [{ leaseRef: lease.ref }] }] }]);
    expect(JSON.stringify(body)).not.toMatch(/hidden-|lease-1|"u1"/);
  });

  test.each([
    'nonsense',
    Buffer.from('nonsense').toString('base64url'),
    Buffer.from(`2026-01-01T00:00:00.000Z g${'a'.repeat(19)}`).toString('base64url'),
    Buffer.from(`2026-01-01T00:00:00.000Z g${'a'.repeat(20)} more`).toString('base64url'),
    Buffer.from(`yesterday g${'a'.repeat(20)}`).toString('base64url'),
    Buffer.from(`2026 g${'a'.repeat(20)}`).toString('base64url'),
    Buffer.from(`-271821-04-20T00:00:00.000Z g${'a'.repeat(20)}`).toString('base64url'),
    Buffer.from(`+275760-09-13T00:00:00.000Z g${'a'.repeat(20)}`).toString('base64url'),
    '%00',
  ])('with a forged cursor %p: 400', async (cursor) => {
    expect(await call({ path: `grants?cursor=${cursor}` })).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  test('a cursor that this API gave goes on where it was', async () => {
    const cursor = cursorAfter({ openedAt: AT, id: `g${'a'.repeat(20)}` as never });
    expect((await call({ path: `grants?cursor=${cursor}` })).status).toBe(200);
  });
});

describe('what is not understood is refused, never left out', () => {
  test.each<[string, Call]>([
    ['an unknown query field', { path: 'grants?agnet=x' }],
    ['a field twice', { path: 'grants?agent=x&agent=y' }],
    ['a state that is none', { path: 'grants?state=open' }],
    ['a limit out of bounds', { path: 'grants?limit=201' }],
    ['a limit that is none', { path: 'grants?limit=all' }],
    ['an empty filter', { path: 'grants?agent=' }],
    ['a NUL in a filter', { path: 'grants?agent=%00' }],
    ['a filter without end', { path: `grants?agent=${'x'.repeat(501)}` }],
    ['an unknown query field of the log', { path: 'evidence?offset=1' }],
    ['a negative index', { path: 'evidence?from=-1' }],
    ['an index beyond all numbers', { path: 'evidence?from=1e300' }],
    ['a task id that climbs', { path: 'tasks/a..b/timeline' }],
    ['a task id with NUL', { path: 'tasks/a%00b/evidence' }],
    ['an unknown field of a revocation', revoke({ taskId: 'x' }, { force: true })],
    ['an unknown field of a selector', revoke({ task: 'x' })],
    ['a selector of nothing: it would mean everything', revoke({})],
    ['a selector of two', revoke({ taskId: 'x', agent: 'y' })],
    ['a selector that is no text', revoke({ taskId: { length: 3 } })],
    ['a NUL in a selector', revoke({ agent: '\u0000' })],
    ['a revocation without a reason', revoke({ taskId: 'x' }, { reason: undefined })],
    ['a reason with NUL', revoke({ taskId: 'x' }, { reason: 'a\u0000b' })],
    ['half a character in a reason', revoke({ taskId: 'x' }, { reason: '\ud800' })],
    ['a dry run that is no yes or no', revoke({ taskId: 'x' }, { dryRun: 'false' })],
    ['no body', { method: 'POST', path: 'revocations' }],
    ['no JSON', { method: 'POST', path: 'revocations', body: '{' }],
    ['an unknown field of a policy set', { method: 'POST', path: 'policies', body: { files: {}, force: true } }],
    ['files that are no text', { method: 'POST', path: 'policies', body: { files: { 'catalogue.yaml': 1 } } }],
  ])('%s: 400', async (_, request) => {
    expect(await call(request)).toMatchObject({ status: 400, type: 'application/problem+json', body: { code: 'invalid-request' } });
  });

  test('a policy set that cannot be used: 400 with the file that is wrong, and the current one stays', async () => {
    const digest = await currentPolicyDigest(ledger.database);
    const good = await readPolicyFiles('deploy/policies/example');
    const withComment = (text: string) => ({ ...good, 'policies/never.cedar': `${good['policies/never.cedar']}// ${text}\n` });
    for (const files of [{}, { ...good, 'catalogue.yaml': 'capabilities: 7' }, { ...good, 'policies/x.cedar': 'permit(' }])
      expect(await call({ method: 'POST', path: 'policies', body: { files } })).toMatchObject({
        status: 400,
        body: { code: 'invalid-policy-set' },
      });
    for (const text of ['\u0000', '\ud800'])
      expect((await call({ method: 'POST', path: 'policies', body: { files: withComment(text) } })).status).toBe(400);
    expect(await currentPolicyDigest(ledger.database)).toBe(digest);
  });

  test('what the contract promises for later is not there yet, and says so', async () => {
    for (const [method, path] of [
      ['GET', 'approvals'],
      ['POST', 'approvals/x'],
    ] as const)
      expect(await call({ method, path, ...(method === 'POST' && { body: {} }) })).toMatchObject({
        status: 404,
        body: { code: 'no-such-route' },
      });
  });
});

describe('the kill switch', () => {
  test('ends every live grant that matches, and no other, with who and why as evidence', async () => {
    const workflow = { name: 'to-be-killed' };
    const mine = [
      await granted(ledger.database, { start: task({ workflow }) }),
      await granted(ledger.database, { start: task({ workflow }) }),
    ];
    const other = await granted(ledger.database);
    const ids = mine.map(({ grant }) => grant.taskId).sort();
    const dry = await call(revoke({ workflow: 'to-be-killed' }));
    expect([dry.body['count'], [...(dry.body['tasks'] as string[])].sort()]).toEqual([2, ids]);
    for (const id of ids) expect(await findGrantByTask(ledger.database, id)).toMatchObject({ state: 'granted' });

    const real = await call(revoke({ workflow: 'to-be-killed' }, { dryRun: false, reason: 'leaked' }), 'operator');
    expect(real).toMatchObject({ status: 202, body: { dryRun: false, count: 2 } });
    for (const id of ids) {
      expect(await findGrantByTask(ledger.database, id)).toMatchObject({ state: 'closing', endCause: 'operator' });
      const [fact] = (await readTaskEntries(ledger.database, id)).filter(({ kind }) => kind.endsWith('operator-revoked.v1'));
      expect(fact?.data).toEqual({ operator: 'person-operator', reason: 'leaked', orderId: real.body['id'] });
    }
    expect(await findGrantByTask(ledger.database, other.grant.taskId)).toMatchObject({ state: 'granted' });
    expect((await call(revoke({ workflow: 'to-be-killed' }, { dryRun: false }))).body).toMatchObject({ count: 0 });
  });
});

describe('policies', () => {
  test('are applied once: the same set again changes nothing and is said once', async () => {
    const files = { ...(await readPolicyFiles('deploy/policies/example')), 'policies/more.cedar': '// another\n' };
    const apply = () => call({ method: 'POST', path: 'policies', body: { files } });
    const [first, again] = [await apply(), await apply()];
    expect([first.body['changed'], again.body['changed']]).toEqual([true, false]);
    expect(await currentPolicyDigest(ledger.database)).toBe(first.body['policyDigest']);
    const signals = await ledger.database.run(
      '',
      `select 1 from ledger.outbox where event ->> 'topic' = 'signals' and event #>> '{data,policyDigest}' = $1`,
      [first.body['policyDigest']],
    );
    expect(signals).toHaveLength(1);
  });
});

describe('a task’s story', () => {
  test('is there in order, and 404 for a task that nobody knows', async () => {
    const { grant } = await granted(ledger.database);
    await call(revoke({ taskId: grant.taskId }, { dryRun: false }));
    const { body } = await call({ path: `tasks/${grant.taskId}/timeline` });
    expect((body['entries'] as { kind: string }[]).map(({ kind }) => kind)).toEqual([
      'dev.mayfly.credential.revocation-requested.v1',
      'dev.mayfly.evidence.operator-revoked.v1',
    ]);
    expect(await call({ path: 'tasks/unheard-of/timeline' })).toMatchObject({ status: 404, body: { code: 'task-not-found' } });
  });
});
