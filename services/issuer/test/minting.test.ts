import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { claimRevocations, endGrant, findGrantByTask, leasesOf, lockGrantByTask, readTaskEntries } from '@mayfly/store';
import { MintRefused } from '@mayfly/vault';
import { applyExample } from '../../../libs/store/test/example.js';
import { beingMinted, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { failOnce, issuerOn, once, started } from './world.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());

const HOLD_MILLISECONDS = 15_000;
const grantOf = async (id: string) => (await findGrantByTask(ledger.database, id))!;
const leaseOf = async (id: string) => (await leasesOf(ledger.database, (await grantOf(id)).id)).at(-1)!;

/** What the revoker does when a task ends: states only. */
const end = (id: string, at: Date) =>
  ledger.database.transaction('test', async (tx) => {
    const grant = await lockGrantByTask(tx, id);
    await endGrant(tx, grant!, { cause: 'task_ended', by: 'revoker', at });
  });

describe('who dies between admitting and minting loses nothing', () => {
  test.each(['create', 'mint', 'keep'] as const)(
    'when Vault goes away at %s, the minting is finished later with one token',
    async (method) => {
      const { issuing, vault, clock } = issuerOn(ledger.database);
      const message = started();
      failOnce(vault, method);
      expect(await issuing.onTaskStarted(message)).toMatchObject({ code: 'vault-unavailable' });
      expect(await grantOf(message.task.taskId)).toMatchObject({ state: 'granted' });
      expect(await leaseOf(message.task.taskId)).toMatchObject({ state: 'minting' });

      expect(await issuing.mintDue()).toBe(0);
      clock.advance(HOLD_MILLISECONDS);
      expect(await issuing.mintDue()).toBe(1);
      expect(await leaseOf(message.task.taskId)).toMatchObject({ state: 'active' });
      expect(vault.counts.created).toBe(1);
      expect(await beingMinted(ledger.database, (await grantOf(message.task.taskId)).id)).toBe(false);
      clock.advance(HOLD_MILLISECONDS);
      expect(await issuing.mintDue()).toBe(0);
    },
  );

  test('a copy whose material was lost is asked to end before another is minted, and hangs on the same token', async () => {
    const { issuing, vault, clock } = issuerOn(ledger.database);
    const message = started();
    failOnce(vault, 'keep');
    await issuing.onTaskStarted(message);
    clock.advance(HOLD_MILLISECONDS);
    await issuing.mintDue();
    const leases = await leasesOf(ledger.database, (await grantOf(message.task.taskId)).id);
    expect(leases.map(({ state, cause }) => [state, cause])).toEqual([
      ['revoking', 'superseded'],
      ['active', undefined],
    ]);
    expect(new Set(leases.map(({ principal }) => principal)).size).toBe(2);
    await vault.revokeToken((await grantOf(message.task.taskId)).tokenAccessor!);
    expect(vault.principals.size).toBe(0);
  });

  test('two issuers that mint for one task leave one token and one copy, however slow the first one is', async () => {
    const { issuing, vault, clock } = issuerOn(ledger.database);
    const message = started();
    // The first one hangs in the middle of `create`; its hold runs out and another takes over and finishes.
    let resume: () => void = () => undefined;
    const paused = new Promise<void>((done) => (resume = done));
    const create = vault.create.bind(vault);
    let calls = 0;
    vault.create = async (request) => {
      calls += 1;
      const token = await create(request);
      if (calls === 1) await paused;
      return token;
    };
    const slow = issuing.onTaskStarted(message);
    while (calls === 0) await new Promise((done) => setImmediate(done));
    clock.advance(HOLD_MILLISECONDS);
    expect(await issuing.mintDue()).toBe(1);
    resume();
    expect(await slow).toBeUndefined();
    expect(await leaseOf(message.task.taskId)).toMatchObject({ state: 'active' });
    expect(vault.principals.size).toBe(1);
    const { tokenAccessor } = await grantOf(message.task.taskId);
    await vault.revokeToken(tokenAccessor!);
    expect(vault.principals.size).toBe(0);
  });

  test('a token that Vault refuses for good ends the intents, and is not asked for again', async () => {
    const { issuing, vault, clock } = issuerOn(ledger.database);
    vault.create = () => Promise.reject(new MintRefused('a task token'));
    const message = started();
    expect(await issuing.onTaskStarted(message)).toMatchObject({ code: 'mint-refused' });
    expect(await leaseOf(message.task.taskId)).toMatchObject({ state: 'failed', lastProblem: 'mint-refused' });
    clock.advance(HOLD_MILLISECONDS);
    expect(await issuing.mintDue()).toBe(0);
  });

  test('an outage is told by the worker’s round, and ends with it', async () => {
    const { issuing, vault, clock } = issuerOn(ledger.database);
    vault.down = true;
    const messages = [started(), started()];
    for (const message of messages) expect(await issuing.onTaskStarted(message)).toMatchObject({ code: 'vault-unavailable' });
    clock.advance(HOLD_MILLISECONDS);
    await expect(issuing.mintDue()).rejects.toMatchObject({ code: 'vault-unavailable' });
    vault.down = false;
    clock.advance(HOLD_MILLISECONDS);
    expect(await issuing.mintDue()).toBe(2);
    for (const { task } of messages) expect(await leaseOf(task.taskId)).toMatchObject({ state: 'active' });
  });
});

describe('a task that ends while it is being minted for', () => {
  test('before its token was made: no token, no lease', async () => {
    const { issuing, vault, clock } = issuerOn(ledger.database);
    const message = started();
    failOnce(vault, 'create');
    await issuing.onTaskStarted(message);
    await end(message.task.taskId, clock.now());
    clock.advance(HOLD_MILLISECONDS);
    await issuing.mintDue();
    expect(vault.counts).toEqual({ created: 0, minted: 0 });
    expect(await leaseOf(message.task.taskId)).toMatchObject({ state: 'revoking', cause: 'task_ended' });
    expect(await beingMinted(ledger.database, (await grantOf(message.task.taskId)).id)).toBe(false);
  });

  test('while its token was made: nothing becomes active, and the revoker is told what to kill', async () => {
    const { issuing, vault, clock } = issuerOn(ledger.database);
    const message = started();
    once(vault, 'create', async (real) => {
      const token = await real();
      await end(message.task.taskId, clock.now());
      return token;
    });
    expect(await issuing.onTaskStarted(message)).toBeUndefined();
    const grant = await grantOf(message.task.taskId);
    expect(grant.state).toBe('closing');
    expect(grant.tokenAccessor).toBeDefined();
    expect(await leaseOf(message.task.taskId)).toMatchObject({ state: 'revoking' });
    expect(vault.counts.minted).toBe(0);
    expect(await beingMinted(ledger.database, grant.id)).toBe(false);
    const claims = await claimRevocations(ledger.database, clock.now(), 1, 100);
    expect(claims.map((claim) => claim.grant.id)).toContain(grant.id);
  });

  test('while its lease was minted: it is not active, but its names are written down for the revoker', async () => {
    const { issuing, vault, clock } = issuerOn(ledger.database);
    const message = started();
    once(vault, 'mint', async (real) => {
      const minted = await real();
      await end(message.task.taskId, clock.now());
      return minted;
    });
    expect(await issuing.onTaskStarted(message)).toBeUndefined();
    const lease = await leaseOf(message.task.taskId);
    expect(lease).toMatchObject({ state: 'revoking', cause: 'task_ended' });
    expect([...vault.principals]).toEqual([lease.principal]);
    expect(lease.vaultLeaseId).toBeDefined();
    const kinds = (await readTaskEntries(ledger.database, message.task.taskId)).map(({ kind }) => kind);
    expect(kinds).not.toContain('dev.mayfly.credential.issued.v1');
  });
});

test('a mint that is refused for good has failed, with evidence, and the other credentials are minted', async () => {
  const { issuing, vault } = issuerOn(ledger.database);
  const message = started({
    credentials: [
      { name: 'first', capability: 'orders-db.read' },
      { name: 'second', capability: 'orders-db.read' },
    ],
  });
  once(vault, 'mint', async () => {
    throw new MintRefused('`orders-db.read`');
  });
  expect(await issuing.onTaskStarted(message)).toBeUndefined();
  const leases = await leasesOf(ledger.database, (await grantOf(message.task.taskId)).id);
  expect(leases.map(({ state }) => state).sort()).toEqual(['active', 'failed']);
  const failed = leases.find(({ state }) => state === 'failed')!;
  expect(failed.lastProblem).toBe('mint-refused');
  expect(await readTaskEntries(ledger.database, message.task.taskId)).toContainEqual(
    expect.objectContaining({
      kind: 'dev.mayfly.evidence.mint-failed.v1',
      data: { credential: failed.name, leaseRef: failed.ref, reason: 'mint-refused' },
    }),
  );
});

test('a copy that Vault refuses to keep has not failed: it lives, and has to end', async () => {
  const { issuing, vault } = issuerOn(ledger.database);
  const message = started();
  once(vault, 'keep', async () => {
    throw new MintRefused('to keep it');
  });
  expect(await issuing.onTaskStarted(message)).toBeUndefined();
  const lease = await leaseOf(message.task.taskId);
  expect(lease).toMatchObject({ state: 'revoking', cause: 'superseded' });
  expect([...vault.principals]).toEqual([lease.principal]);
});

test('a replacement that is refused for good has failed, and is not waited for', async () => {
  const { issuing, vault, clock } = issuerOn(ledger.database);
  const message = started();
  failOnce(vault, 'keep');
  await issuing.onTaskStarted(message);
  clock.advance(HOLD_MILLISECONDS);
  once(vault, 'mint', async () => {
    throw new MintRefused('`orders-db.read`');
  });
  await issuing.mintDue();
  const leases = await leasesOf(ledger.database, (await grantOf(message.task.taskId)).id);
  expect(leases.map(({ state }) => state)).toEqual(['revoking', 'failed']);
});

test('no token, accessor, lease id or material is in any event or fact', async () => {
  const { issuing, vault } = issuerOn(ledger.database);
  const message = started();
  const materials: string[] = [];
  once(vault, 'mint', async (real) => {
    const minted = (await real()) as Awaited<ReturnType<typeof vault.mint>>;
    materials.push(...Object.values(minted.material.reveal()).map(String));
    return minted;
  });
  await issuing.onTaskStarted(message);
  const grant = await grantOf(message.task.taskId);
  const lease = await leaseOf(message.task.taskId);
  const [events, facts] = await Promise.all([
    ledger.database.run('', 'select event from ledger.outbox'),
    ledger.database.run('', 'select fact from evidence.intake'),
  ]);
  const text = JSON.stringify([events, facts]);
  expect(text).toContain(lease.ref);
  for (const secret of [...materials, grant.tokenAccessor!, grant.sealedToken!, lease.vaultLeaseId!]) expect(text).not.toContain(secret);
});
