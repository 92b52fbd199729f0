import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { FetchLimit, newLeaseRef, NotReady, plusSeconds, TaskClosed, VaultUnavailable, type TaskId, SecretTainted } from '@mayfly/domain';
import type { PolicyFiles } from '@mayfly/policy';
import {
  amendGrant,
  announceTask,
  credentialsOf,
  endGrant,
  findGrantByTask,
  insertGrant,
  intendLease,
  leasesOf,
  lockGrantByTask,
  readTaskEntries,
  reinstateBehaviour,
} from '@mayfly/store';
import { MintRefused } from '@mayfly/vault';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { AGENT, deliveryOn, OTHER_AGENT, ready } from './world.js';

let ledger: Ledger;
let world: ReturnType<typeof deliveryOn>;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await applyExample(ledger.database);
  world = deliveryOn(ledger.database);
});
afterEach(() => world.close());

const fetchOne = (id: TaskId, wait = 0, agent = AGENT) => world.delivering.fetch(id, 'orders', agent, wait);
const leases = async (id: TaskId) => leasesOf(ledger.database, (await findGrantByTask(ledger.database, id))!.id);
const kinds = async (id: TaskId) => (await readTaskEntries(ledger.database, id)).map(({ kind }) => kind);
const DELIVERED = 'dev.mayfly.credential.delivered.v1';
const ON_FETCH = { mint: 'on-fetch' } as const;

const end = (id: TaskId) =>
  ledger.database.transaction('test', async (tx) => {
    const grant = await lockGrantByTask(tx, id);
    await endGrant(tx, grant!, { cause: 'task_ended', by: 'revoker', at: AT });
  });
/** Runs this after the real call, before its answer arrives. */
function after(method: 'mint' | 'take' | 'open', then: () => Promise<unknown>): void {
  const real = world.vault[method].bind(world.vault) as (...args: unknown[]) => Promise<unknown>;
  Object.assign(world.vault, {
    [method]: async (...args: unknown[]) => {
      const answer = await real(...args);
      await then();
      return answer;
    },
  });
}

describe('a fetch', () => {
  test('of what was minted at the start hands out exactly that, ready for a client, with evidence first', async () => {
    const { grant, lease } = await ready(world);
    const delivered = await fetchOne(grant.taskId);
    expect(delivered).toEqual({
      taskId: grant.taskId,
      name: 'orders',
      capability: 'orders-db.read',
      leaseRef: lease.ref,
      expiresAt: plusSeconds(AT, 60).toISOString(),
      data: { host: '127.0.0.1', port: 5432, database: 'orders', username: lease.principal, password: expect.any(String) },
    });
    expect(world.vault.counts.minted).toBe(1);
    expect(await kinds(grant.taskId)).toContain(DELIVERED);
  });

  test('of what does not exist yet writes the intent, mints, and hands it out', async () => {
    const { grant } = await ready(world, {}, ON_FETCH);
    const { leaseRef } = await fetchOne(grant.taskId);
    const newest = (await leases(grant.taskId)).find(({ ref }) => ref === leaseRef);
    expect(newest).toMatchObject({ state: 'active', minter: 'delivery', deliveredAt: AT });
    const told = await kinds(grant.taskId);
    expect(told.indexOf('dev.mayfly.evidence.mint-intended.v1')).toBeLessThan(told.indexOf(DELIVERED));
  });

  test('repeated has the earlier copy dead before another exists', async () => {
    const { grant } = await ready(world);
    const first = await fetchOne(grant.taskId);
    const aliveAtMint: number[] = [];
    const mint = world.vault.mint.bind(world.vault);
    world.vault.mint = (request) => {
      aliveAtMint.push(world.vault.principals.size);
      return mint(request);
    };
    const second = await fetchOne(grant.taskId);
    expect(aliveAtMint).toEqual([0]);
    expect(second.data['username']).not.toBe(first.data['username']);
    expect([...world.vault.principals]).toEqual([second.data['username']]);
    expect((await leases(grant.taskId)).find(({ ref }) => ref === first.leaseRef)).toMatchObject({ state: 'revoked', cause: 'superseded' });
  });

  test.each([ON_FETCH, { mint: 'on-start' } as const])('many at once never leave two live copies (%p)', async (changes) => {
    const { grant } = await ready(world, {}, { ...changes, maxFetches: 100 });
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => fetchOne(grant.taskId, 5_000)));
    const handed = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const one of all) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(NotReady);
    expect(handed.length).toBeGreaterThan(0);
    expect(new Set(handed.map(({ leaseRef }) => leaseRef)).size).toBe(handed.length);
    expect(world.vault.principals.size).toBe(1);
    const live = (await leases(grant.taskId)).filter(({ state }) => state === 'active' || state === 'minting');
    expect(live.map(({ principal }) => principal)).toEqual([...world.vault.principals]);
  });

  test('of static material leaves nothing to supersede: each hands out the same lease', async () => {
    const { grant } = await ready(
      world,
      {},
      {
        ...ON_FETCH,
        name: 'payload.key',
        engine: 'transit',
        shape: 'static',
        mount: 'transit',
        role: 'payload',
        vaultPolicy: 'cap-payload.key',
      },
    );
    const first = await fetchOne(grant.taskId);
    const second = await fetchOne(grant.taskId);
    expect(second.leaseRef).toBe(first.leaseRef);
    expect(second.data).toMatchObject({ plaintext: expect.any(String) });
    expect(first.expiresAt).toBeUndefined();
  });

  test('of what a stopped task had read is refused to everybody, until it is rotated', async () => {
    const stored = {
      ...ON_FETCH,
      name: 'payload.key',
      engine: 'kv',
      shape: 'static',
      compensation: 'taint',
      mount: 'kv',
      role: 'payload',
      vaultPolicy: 'cap-payload.key',
    } as const;
    await applyExample(ledger.database, (files) => ({
      ...files,
      'catalogue.yaml': files['catalogue.yaml']!.replace(
        /engine: transit\n(.*\n)    compensation: none\n(.*\n)    mount: transit/,
        'engine: kv\n$1    compensation: taint\n$2    mount: kv',
      ),
    }));
    const reading = () => ready(world, {}, stored);
    const [stopped, ended, other, holding] = [await reading(), await reading(), await reading(), await reading()];
    for (const { grant } of [stopped, ended, holding]) await fetchOne(grant.taskId);
    const end = (id: string, cause: 'operator' | 'task_ended') =>
      ledger.database.transaction('test', async (tx) => endGrant(tx, (await lockGrantByTask(tx, id))!, { cause, by: 'console', at: AT }));
    await end(ended.grant.taskId, 'task_ended');
    await fetchOne((await reading()).grant.taskId);
    await end(stopped.grant.taskId, 'operator');
    for (const { grant } of [other, holding]) await expect(fetchOne(grant.taskId)).rejects.toThrow(SecretTainted);
    expect((await leases(other.grant.taskId)).map(({ lastProblem }) => lastProblem)).toContain('secret-tainted');
    world.vault.storedVersion += 1;
    for (const { grant } of [other, holding]) await fetchOne(grant.taskId);
    expect((await leases(holding.grant.taskId)).find(({ state }) => state === 'active')?.principal).toBe('version 2');
    await applyExample(ledger.database);
  });

  test('is counted: after the capability’s limit there is no more', async () => {
    const { grant } = await ready(world, {}, { maxFetches: 2 });
    await fetchOne(grant.taskId);
    await fetchOne(grant.taskId);
    await expect(fetchOne(grant.taskId)).rejects.toThrow(FetchLimit);
    expect(world.vault.counts.minted).toBe(2);
    expect((await leases(grant.taskId)).filter(({ state }) => state === 'active')).toHaveLength(1);
  });
});

describe('a fetch that would mint more than the quota allows', () => {
  test('is refused for now with a time to come again, and counts as no fetch; what lives is left alone', async () => {
    await applyExample(ledger.database, (files) => ({
      ...files,
      'registrations.yaml': files['registrations.yaml']!.replaceAll('mintsPerMinute: 20000', 'mintsPerMinute: 2'),
    }));
    const { grant } = await ready(world, {}, ON_FETCH);
    await ledger.database.run('', 'update ledger.lease set intended_at = $1', [plusSeconds(AT, -3600)]);
    await fetchOne(grant.taskId);
    await fetchOne(grant.taskId);
    const refused = await fetchOne(grant.taskId).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'quota-exceeded', status: 429, retriable: true, extras: { retryAfterSeconds: 15 } });
    expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({ fetches: 2 });
    expect((await leases(grant.taskId)).filter(({ state }) => state === 'active')).toHaveLength(1);
    world.clock.advance(61_000);
    await fetchOne(grant.taskId);
    await applyExample(ledger.database);
  });
});

describe('a fetch is refused', () => {
  test('for an unknown task and for another workload’s in the same words', async () => {
    const { grant } = await ready(world);
    const foreign = await fetchOne(grant.taskId, 0, OTHER_AGENT).catch((error: unknown) => error as Error);
    const unknown = await fetchOne('nothing' as TaskId).catch((error: unknown) => error as Error);
    expect(foreign).toMatchObject({ code: 'task-not-found' });
    expect((foreign as Error).message).toBe((unknown as Error).message);
  });

  test('once the task has ended', async () => {
    const { grant } = await ready(world);
    await end(grant.taskId);
    await expect(fetchOne(grant.taskId)).rejects.toThrow(TaskClosed);
  });

  test.each(['open', 'take'] as const)('when the task ends during %s: not a byte leaves', async (method) => {
    const { grant } = await ready(world);
    after(method, () => end(grant.taskId));
    await expect(fetchOne(grant.taskId)).rejects.toThrow(TaskClosed);
    expect(await kinds(grant.taskId)).not.toContain(DELIVERED);
  });

  test('when the task ends during the mint, and what was minted is written down for the revoker', async () => {
    const { grant } = await ready(world, {}, ON_FETCH);
    after('mint', () => end(grant.taskId));
    await expect(fetchOne(grant.taskId)).rejects.toThrow(TaskClosed);
    const lease = (await leases(grant.taskId)).find(({ state }) => state === 'revoking');
    expect([...world.vault.principals]).toEqual([lease?.principal]);
    expect(lease?.vaultLeaseId).toBeDefined();
    expect(await kinds(grant.taskId)).not.toContain(DELIVERED);
  });

  test('when policy says no now, whatever it said at the start; with evidence, and nothing touched in Vault', async () => {
    const { grant } = await ready(world, {}, ON_FETCH);
    await amendGrant(ledger.database, grant.id, 'granted', { risk: 90 });
    const denied = await fetchOne(grant.taskId).catch((error: unknown) => error);
    const [fact] = (await readTaskEntries(ledger.database, grant.taskId)).filter(({ kind }) => kind.endsWith('fetch-denied.v1'));
    expect(denied).toMatchObject({ code: 'denied', extras: { decisionId: fact?.data['decisionId'] } });
    expect(fact?.data).toMatchObject({ agent: AGENT, reasons: ['no-policy-permits'] });
    expect(world.vault.counts.minted).toBe(0);
  });

  test('when the policy set is switched between the decision and the reservation', async () => {
    const { grant } = await ready(world, {}, ON_FETCH);
    world.hooks.afterDecision = async () => {
      world.hooks.afterDecision = undefined;
      await applyExample(ledger.database, (files) => ({ ...files, 'policies/more.cedar': '// switched\n' }));
    };
    await expect(fetchOne(grant.taskId)).rejects.toThrow(NotReady);
    expect(world.vault.counts.minted).toBe(0);
    expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({ fetches: 0 });
    // Asked again, it is decided by the new set.
    expect(await fetchOne(grant.taskId)).toMatchObject({ name: 'orders' });
  });

  test('while its lease is still being minted', async () => {
    const { grant } = await ready(world, {}, ON_FETCH);
    await intendLease(ledger.database, { ref: newLeaseRef(), grantId: grant.id, name: 'orders', minter: 'issuer', intendedAt: AT });
    await expect(fetchOne(grant.taskId)).rejects.toThrow(NotReady);
    expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({ fetches: 0 });
  });

  test('for a name that the task did not ask for', async () => {
    const { grant } = await ready(world);
    await expect(world.delivering.fetch(grant.taskId, 'other', AGENT, 0)).rejects.toMatchObject({ code: 'invalid-request' });
  });
});

describe('when Vault', () => {
  test('is away, the fetch says so, and what it may have made is not forgotten', async () => {
    const { grant } = await ready(world, {}, ON_FETCH);
    const mint = world.vault.mint.bind(world.vault);
    world.vault.mint = async () => {
      throw new VaultUnavailable();
    };
    await expect(fetchOne(grant.taskId)).rejects.toThrow(VaultUnavailable);
    world.vault.mint = mint;
    expect((await leases(grant.taskId)).filter(({ state }) => state === 'minting')).toHaveLength(1);
    await expect(fetchOne(grant.taskId)).rejects.toThrow(NotReady);
  });

  test('refuses, the intent is over and the next fetch tries afresh', async () => {
    const { grant } = await ready(world, {}, ON_FETCH);
    const mint = world.vault.mint.bind(world.vault);
    world.vault.mint = async () => {
      throw new MintRefused('`orders-db.read`');
    };
    // Agents know one word for it.
    await expect(fetchOne(grant.taskId)).rejects.toMatchObject({ code: 'vault-unavailable', status: 503 });
    world.vault.mint = mint;
    expect(await fetchOne(grant.taskId)).toMatchObject({ name: 'orders' });
  });
});

describe('an agent that asks early', () => {
  test('waits for its start event, and gets its secret when it is there', async () => {
    const start = task();
    const waiting = world.delivering.fetch(start.taskId, 'orders', AGENT, 20_000);
    const { lease } = await ready(world, start);
    // The issuer announces when the token is there; the test's world wrote it without.
    await announceTask(ledger.database, start.taskId);
    expect(await waiting).toMatchObject({ leaseRef: lease.ref });
  });

  test('does not wait for a change that came after it was looked at and before it waited', async () => {
    const { grant, lease } = await ready(world);
    const before = { seen: undefined };
    expect(await world.delivering.fetch(grant.taskId, 'orders', AGENT, 20_000, before)).toMatchObject({ leaseRef: lease.ref });
    await expect(world.delivering.fetch(grant.taskId, 'orders', AGENT, 0, before)).rejects.toMatchObject({ code: 'task-not-found' });
  });

  test('waits no longer than it said', async () => {
    await expect(fetchOne('never' as TaskId, 100)).rejects.toMatchObject({ code: 'task-not-found' });
  });

  test('waits for nothing that cannot come any more', async () => {
    const start = task();
    const { grant } = await ready(world, start);
    await end(grant.taskId);
    await expect(fetchOne(grant.taskId, 20_000)).rejects.toThrow(TaskClosed);
  });

  test('is told to wait for a person where one has to approve', async () => {
    const start = task();
    await insertGrant(ledger.database, {
      id: `g${'a'.repeat(20)}` as never,
      taskId: start.taskId,
      tenant: 'default',
      source: 'urn:example:orchestrator',
      state: 'requested',
      agentId: AGENT,
      risk: 0,
      openedAt: AT,
    });
    await expect(fetchOne(start.taskId)).rejects.toMatchObject({ code: 'not-ready' });
    await ledger.database.run('', `update ledger.task_grant set state = 'pending', prior_state = 'requested' where task_id = $1`, [
      start.taskId,
    ]);
    await expect(fetchOne(start.taskId)).rejects.toMatchObject({ code: 'pending-approval' });
  });
});

describe('a task that', () => {
  const MINTS = (files: PolicyFiles): PolicyFiles => ({
    ...files,
    'registrations.yaml': files['registrations.yaml']!.replace(
      'maxDurationSeconds: 14400',
      'maxDurationSeconds: 14400\n        budgets: { mints: 2 }\n        behaviour: { suspend: 2 }',
    ),
  });
  const denials = async (id: TaskId) =>
    (await readTaskEntries(ledger.database, id))
      .filter(({ kind }) => kind === 'dev.mayfly.evidence.fetch-denied.v1')
      .map(({ data }) => data['reasons']);

  test('has minted what its budget allows gets nothing more, and that counts for its behaviour', async () => {
    await applyExample(ledger.database, MINTS);
    const { grant } = await ready(world);
    await fetchOne(grant.taskId);
    await fetchOne(grant.taskId);
    const before = await leases(grant.taskId);
    expect(before).toHaveLength(2);
    await expect(fetchOne(grant.taskId)).rejects.toMatchObject({ code: 'denied' });
    // What it has goes on: nothing of the refused fetch counts.
    expect(await leases(grant.taskId)).toEqual(before);
    expect((await credentialsOf(ledger.database, grant.id))[0]?.fetches).toBe(2);
    await expect(fetchOne(grant.taskId)).rejects.toMatchObject({ code: 'denied' });
    expect((await findGrantByTask(ledger.database, grant.taskId))?.behaviour).toBe('suspended');
    expect(await denials(grant.taskId)).toEqual([['over-budget'], ['over-budget']]);
  });

  test('was suspended gets nothing, and again what policy permits once it is reinstated', async () => {
    const { grant } = await ready(world);
    await amendGrant(ledger.database, grant.id, 'granted', { behaviour: 'suspended' });
    await expect(fetchOne(grant.taskId)).rejects.toMatchObject({ code: 'denied' });
    expect(await denials(grant.taskId)).toEqual([['task-suspended']]);
    await ledger.database.transaction('test', (tx) => reinstateBehaviour(tx, grant.taskId));
    expect(await fetchOne(grant.taskId)).toMatchObject({ name: 'orders' });
  });

  test('is raised between the decision and the lease gets nothing', async () => {
    const { grant } = await ready(world);
    world.hooks.afterDecision = () => amendGrant(ledger.database, grant.id, 'granted', { behaviour: 'suspended' });
    await expect(fetchOne(grant.taskId)).rejects.toMatchObject({ code: 'not-ready' });
    expect(await kinds(grant.taskId)).not.toContain(DELIVERED);
  });

  test('has another intent in the ledger than the one that was pinned gets nothing', async () => {
    const { grant } = await ready(world);
    await ledger.database.run(
      '',
      `update ledger.task_grant set request = jsonb_set(request, '{intent,dataClass}', '"public"') where id = $1`,
      [grant.id],
    );
    await expect(fetchOne(grant.taskId)).rejects.toMatchObject({ code: 'denied' });
    expect(await denials(grant.taskId)).toEqual([['intent-changed']]);
  });
});
