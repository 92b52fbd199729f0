import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, newGrantId, newLeaseRef, OUT_EVENTS, plusSeconds, TOPICS, type OutEvent } from '@mayfly/domain';
import { verifyChain, type EvidenceRecord } from '@mayfly/evidence-log';
import { GRANT_TRANSITIONS, LEASE_TRANSITIONS } from '@mayfly/grant';
import {
  activateLeases,
  applyPolicySet,
  chainFacts,
  claimRevocations,
  currentPolicyDigest,
  CurrentPolicy,
  emit,
  endGrant,
  endLease,
  findGrantByTask,
  findLease,
  grantsPastDeadline,
  grantsWithoutHeartbeat,
  insertGrant,
  intendLease,
  leasesOf,
  leasesPastExpiry,
  listGrants,
  listPolicySwitches,
  lockGrant,
  noteEvent,
  Outbox,
  putInOutbox,
  queueRevocations,
  readLog,
  settleRevocation,
  stateFact,
  TaskChanges,
  transitionGrant,
  transitionLease,
} from '../src/index.js';
import { anybodys } from './example.js';
import { AT, capability, granted, startLedger, task, type Ledger } from './ledger.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());

const event = (key: string): OutEvent => ({
  id: `e-${key}`,
  type: OUT_EVENTS.grantIssued,
  topic: TOPICS.credentials,
  key,
  time: AT,
  data: { taskId: key, tenant: 'default', at: AT.toISOString() },
});

describe('state machines', () => {
  test('are the same pairs in TypeScript and in SQL', async () => {
    const pairs = async (table: string) =>
      (await ledger.database.run<{ prior: string; next: string }>('', `select prior, next from ledger.${table}`))
        .map(({ prior, next }) => `${prior}→${next}`)
        .sort();
    expect(await pairs('grant_transition')).toEqual(GRANT_TRANSITIONS.map(([prior, next]) => `${prior}→${next}`).sort());
    expect(await pairs('lease_transition')).toEqual(LEASE_TRANSITIONS.map(([prior, next]) => `${prior}→${next}`).sort());
  });

  test('an illegal step cannot be stored, even by hand', async () => {
    const { grant, lease } = await granted(ledger.database);
    const write = (sql: string, id: string) => ledger.database.run('', sql, [id]);
    await expect(
      write(`update ledger.task_grant set state = 'closed', prior_state = 'granted' where id = $1`, grant.id),
    ).rejects.toMatchObject({ constraint: 'task_grant_legal_step' });
    await expect(
      write(`update ledger.lease set state = 'revoked', prior_state = 'active', cause = 'operator' where ref = $1`, lease.ref),
    ).rejects.toMatchObject({
      constraint: 'lease_legal_step',
    });
    await expect(
      write(`update ledger.lease set state = 'active', prior_state = 'minting' where ref = $1 and state = 'active'`, lease.ref),
    ).resolves.toBeDefined();
    await expect(
      write(`update ledger.lease set state = 'revoked', prior_state = 'revoking', cause = 'operator' where ref = $1`, lease.ref),
    ).rejects.toMatchObject({ code: '23514' });
  });

  test('compare-and-set: of two who try the same step one succeeds, and that is a normal outcome', async () => {
    const { grant } = await granted(ledger.database);
    const both = await Promise.all(
      [1, 2].map(() => ledger.database.transaction('race', (tx) => transitionGrant(tx, grant.id, 'granted', 'closing'))),
    );
    expect(both.filter((won) => won !== undefined)).toHaveLength(1);
    await expect(transitionGrant(ledger.database, grant.id, 'closed', 'granted')).rejects.toThrow(TypeError);
  });
});

describe('inbox', () => {
  test('tells a repeated event from a contradicting one', async () => {
    expect(await noteEvent(ledger.database, 'urn:a', '1', 'x')).toBe('new');
    expect(await noteEvent(ledger.database, 'urn:a', '1', 'x')).toBe('again');
    expect(await noteEvent(ledger.database, 'urn:a', '1', 'y')).toBe('conflict');
    expect(await noteEvent(ledger.database, 'urn:b', '1', 'y')).toBe('new');
  });
});

describe('grants and leases', () => {
  test('a task has one grant, whoever opens it how often', async () => {
    const { grant } = await granted(ledger.database);
    const again = await insertGrant(ledger.database, { ...grant, id: newGrantId(), state: 'requested' });
    expect(again).toBe(false);
    expect((await findGrantByTask(ledger.database, grant.taskId))?.id).toBe(grant.id);
  });

  test('a stored task comes back as it was, dates included', async () => {
    const start = task({ deadline: new Date('2027-01-01T00:00:00Z'), initiator: { id: 'alice', kind: 'human' } });
    const { grant } = await granted(ledger.database, { start });
    expect(grant.request).toEqual(start);
    expect(grant.openedAt).toEqual(AT);
  });

  test('a credential never has two live leases', async () => {
    const { grant } = await granted(ledger.database);
    expect(
      await intendLease(ledger.database, { ref: newLeaseRef(), grantId: grant.id, name: 'orders', minter: 'delivery', intendedAt: AT }),
    ).toBe(false);
  });

  test('a lease that was asked to end while it was minted is written down for the revoker, not activated', async () => {
    const { grant, credential, lease } = await granted(ledger.database, { lease: false });
    await ledger.database.transaction('end', async (tx) =>
      endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'test', at: AT }),
    );
    const minted = { material: undefined as never, vaultLeaseId: 'late', principal: 'late-user' };
    const [active] = await ledger.database.transaction('activate', (tx) =>
      activateLeases(tx, 'test', [{ grant, credential, lease, minted, ttlSeconds: 60, at: AT }]),
    );
    expect(active).toBeUndefined();
    expect(await findLease(ledger.database, lease.ref)).toMatchObject({
      state: 'revoking',
      vaultLeaseId: 'late',
      principal: 'late-user',
      cause: 'task_ended',
    });
  });

  test('a lease ends when it was allowed to, however long its engine would let it live', async () => {
    const long = { material: undefined as never, vaultLeaseId: 'x', expiresAt: plusSeconds(AT, 9_999) };
    const expiryOf = async (spec = capability()) => {
      const { grant, credential, lease } = await granted(ledger.database, { lease: false, spec });
      const [active] = await ledger.database.transaction('activate', (tx) =>
        activateLeases(tx, 'test', [{ grant, credential, lease, minted: long, ttlSeconds: 60, at: AT }]),
      );
      return active?.expiresAt;
    };
    expect(await expiryOf()).toEqual(plusSeconds(AT, 60));
    // Nobody can end this one earlier, so nothing else may be said of it.
    expect(await expiryOf(capability({ shape: 'expiry-only' }))).toEqual(plusSeconds(AT, 9_999));
  });
});

describe('ending', () => {
  test('a grant takes its live leases and its sub-tasks with it', async () => {
    const parent = await granted(ledger.database);
    const child = await granted(ledger.database, { parentGrantId: parent.grant.id });
    await ledger.database.transaction('end', async (tx) =>
      endGrant(tx, (await lockGrant(tx, parent.grant.id))!, { cause: 'task_ended', by: 'test', at: AT, outcome: 'failed' }),
    );
    expect(await findLease(ledger.database, parent.lease.ref)).toMatchObject({ state: 'revoking', cause: 'task_ended', requestedAt: AT });
    expect(await findLease(ledger.database, child.lease.ref)).toMatchObject({ state: 'revoking', cause: 'parent_ended' });
    expect(await findGrantByTask(ledger.database, child.grant.taskId)).toMatchObject({ state: 'closing', endCause: 'parent_ended' });
    const claimed = await claimRevocations(ledger.database, AT, 30, 100);
    expect(claimed.map(({ grant }) => grant.id)).toEqual(expect.arrayContaining([parent.grant.id, child.grant.id]));
  });

  test('one lease can end while the others of its grant go on', async () => {
    const { grant, credential, lease } = await granted(ledger.database);
    await ledger.database.transaction('end', (tx) => endLease(tx, grant, credential, lease, { cause: 'superseded', by: 'test', at: AT }));
    expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ state: 'granted' });
    expect((await leasesOf(ledger.database, grant.id)).map(({ state }) => state)).toEqual(['revoking']);
    expect(
      await intendLease(ledger.database, { ref: newLeaseRef(), grantId: grant.id, name: 'orders', minter: 'delivery', intendedAt: AT }),
    ).toBe(true);
  });

  test('a lease that becomes active while its end is asked for ends all the same', async () => {
    const { grant, credential, lease } = await granted(ledger.database, { lease: false });
    await ledger.database.transaction('end', async (tx) => {
      const locked = (await lockGrant(tx, grant.id))!;
      // What the ending transaction has read is `minting`; the minter commits before it writes.
      await transitionLease(ledger.database, lease.ref, 'minting', 'active', { issuedAt: AT, vaultLeaseId: 'raced' });
      await endLease(tx, locked, credential, lease, { cause: 'task_ended', by: 'test', at: AT });
    });
    expect(await findLease(ledger.database, lease.ref)).toMatchObject({ state: 'revoking', vaultLeaseId: 'raced' });
  });

  test('a second end changes nothing', async () => {
    const { grant } = await granted(ledger.database);
    const end = () =>
      ledger.database.transaction('end', async (tx) =>
        endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'operator', by: 'test', at: AT }),
      );
    expect([await end(), await end()]).toEqual([true, false]);
  });
});

describe('queues', () => {
  test('work that a dead worker held comes due again, and only one worker holds it', async () => {
    const { grant } = await granted(ledger.database);
    const mine = async (now: Date) =>
      (await claimRevocations(ledger.database, now, 30, 100)).filter((claim) => claim.grant.id === grant.id);
    await queueRevocations(ledger.database, [grant.id], AT, 'task_ended');
    const [claim] = await mine(AT);
    expect(claim).toBeDefined();
    expect(await mine(AT)).toEqual([]);
    expect(await mine(plusSeconds(AT, 31))).toHaveLength(1);
    // The first worker comes back late: its word no longer counts.
    await settleRevocation(ledger.database, claim!, null);
    expect(await mine(plusSeconds(AT, 62))).toHaveLength(1);
  });

  test('work asked for while it is being done is not lost', async () => {
    const { grant } = await granted(ledger.database);
    await queueRevocations(ledger.database, [grant.id], AT, 'task_ended');
    const [claim] = (await claimRevocations(ledger.database, AT, 30, 100)).filter((each) => each.grant.id === grant.id);
    await queueRevocations(ledger.database, [grant.id], AT, 'task_ended');
    await settleRevocation(ledger.database, claim!, null);
    expect((await claimRevocations(ledger.database, AT, 30, 100)).some((each) => each.grant.id === grant.id)).toBe(true);
  });

  test.each([
    ['in the same moment', AT],
    ['when the hold is over', plusSeconds(AT, 31)],
  ])('work asked for %s is not settled by the one who held it before', async (_, asked) => {
    const { grant } = await granted(ledger.database);
    const mine = async (now: Date) =>
      (await claimRevocations(ledger.database, now, 30, 100)).filter((claim) => claim.grant.id === grant.id);
    await queueRevocations(ledger.database, [grant.id], AT, 'task_ended');
    const [first] = await mine(AT);
    await queueRevocations(ledger.database, [grant.id], asked, 'task_ended');
    const [second] = await mine(asked);
    await settleRevocation(ledger.database, first!, null);
    // The second one dies: its work comes due again.
    expect(second).toBeDefined();
    expect(await mine(plusSeconds(asked, 31))).toHaveLength(1);
  });

  test('watches find what is over, and nothing else', async () => {
    const overdue = await granted(ledger.database, { deadline: plusSeconds(AT, 10) });
    const silent = await granted(ledger.database, { heartbeatAt: AT, heartbeatTimeoutSeconds: 5 });
    const spent = await granted(ledger.database);
    await ledger.database.run('', 'update ledger.lease set expires_at = $2 where ref = $1', [spent.lease.ref, plusSeconds(AT, 7)]);
    const found = async (seconds: number) => ({
      overdue: (await grantsPastDeadline(ledger.database, plusSeconds(AT, seconds), 100)).some(({ id }) => id === overdue.grant.id),
      silent: (await grantsWithoutHeartbeat(ledger.database, plusSeconds(AT, seconds), 100)).some(({ id }) => id === silent.grant.id),
      spent: (await leasesPastExpiry(ledger.database, plusSeconds(AT, seconds), 100)).some(({ ref }) => ref === spent.lease.ref),
    });
    expect(await found(4)).toEqual({ overdue: false, silent: false, spent: false });
    expect(await found(6)).toEqual({ overdue: false, silent: true, spent: false });
    expect(await found(11)).toEqual({ overdue: true, silent: true, spent: true });
  });

  test('who was silent longest is found first, however long each may be', async () => {
    const at = (seconds: number) => plusSeconds(AT, seconds);
    const heard = async (seconds: number, allowed: number) =>
      (await granted(ledger.database, { heartbeatAt: at(seconds), heartbeatTimeoutSeconds: allowed })).grant.id;
    const [early, patient, late, recent] = [await heard(1000, 60), await heard(900, 400), await heard(1100, 61), await heard(1390, 60)];
    const silent = async (seconds: number, limit: number) =>
      (await grantsWithoutHeartbeat(ledger.database, at(seconds), 100))
        .map(({ id }) => id)
        .filter((id) => [early, patient, late, recent].includes(id))
        .slice(0, limit);
    expect(await silent(1059, 9)).toEqual([]);
    expect(await silent(1060, 9)).toEqual([early]);
    expect(await silent(1299, 9)).toEqual([early, late]);
    expect(await silent(1400, 9)).toEqual([patient, early, late]);
    expect(await grantsWithoutHeartbeat(ledger.database, at(1400), 1)).toHaveLength(1);
  });
});

describe('outbox', () => {
  test('an event leaves exactly with its transaction', async () => {
    const outbox = new Outbox(ledger.database, 'rollback');
    await expect(
      ledger.database.transaction('fails', async (tx) => {
        await emit(tx, 'rollback', event('t-rollback'));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await outbox.takeBatch(10, () => Promise.resolve())).toBe(0);
  });

  test('events leave in order, stay when publishing fails, and are gone when it succeeded', async () => {
    const outbox = new Outbox(ledger.database, 'order');
    for (const key of ['a', 'b', 'c']) await ledger.database.transaction('put', (tx) => putInOutbox(tx, 'order', [event(key)]));
    await expect(outbox.takeBatch(10, () => Promise.reject(new Error('kafka is away')))).rejects.toThrow('kafka is away');
    const keys: string[] = [];
    expect(await outbox.takeBatch(10, (rows) => Promise.resolve(void keys.push(...rows.map((row) => row.event.key))))).toBe(3);
    expect(keys).toEqual(['a', 'b', 'c']);
    expect(await outbox.takeBatch(10, () => Promise.resolve())).toBe(0);
  });

  test('two relays of one owner never publish side by side', async () => {
    const outbox = new Outbox(ledger.database, 'two');
    await ledger.database.transaction('put', (tx) => putInOutbox(tx, 'two', [event('x')]));
    let inner = -1;
    await outbox.takeBatch(10, async () => {
      inner = await outbox.takeBatch(10, () => Promise.resolve());
    });
    expect(inner).toBe(0);
  });
});

describe('evidence', () => {
  const chainAll = async () => {
    while ((await ledger.database.transaction('chain', (tx) => chainFacts(tx, 50, () => Promise.resolve()))) > 0);
  };
  const wholeLog = async (): Promise<EvidenceRecord[]> => readLog(ledger.database, 0, 10_000);

  test('facts become a chain that verifies, also when many state them at once', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        ledger.database.transaction('state', (tx) =>
          stateFact(tx, { kind: 'k', at: AT.toISOString(), by: 'test', taskId: `t${i}`, data: { i, none: undefined } }),
        ),
      ),
    );
    await Promise.all([chainAll(), chainAll()]);
    const log = await wholeLog();
    expect(log.length).toBeGreaterThanOrEqual(40);
    expect(verifyChain(log)).toBeUndefined();
  });

  test('an edited row is found at its index', async () => {
    await ledger.database.transaction('state', (tx) => stateFact(tx, { kind: 'k', at: AT.toISOString(), by: 'test', data: { amount: 1 } }));
    await chainAll();
    const index = (await wholeLog()).length - 1;
    await ledger.database.run('', `update evidence.log set data = '{"amount": 2}' where index = $1`, [index]);
    expect(verifyChain(await wholeLog())).toEqual({ index, problem: 'content-changed' });
    await ledger.database.run('', `update evidence.log set data = '{"amount": 1}' where index = $1`, [index]);
    expect(verifyChain(await wholeLog())).toBeUndefined();
  });
});

describe('policy sets', () => {
  const apply = (name: string, signature?: string) =>
    ledger.database.transaction('apply', (tx) =>
      applyPolicySet(tx, { digest: digestOf({ name }), files: { name }, signature, appliedBy: 'admin', at: AT }),
    );

  test('whoever asks decides by the set that is current at that moment', async () => {
    const reads: string[] = [];
    const policies = new CurrentPolicy((files) => {
      reads.push(files['name']!);
      return files['name']!;
    }, anybodys);
    await expect(policies.get(ledger.database)).rejects.toMatchObject({ code: 'policy-unavailable', retriable: true });
    expect(await apply('one')).toBe(true);
    expect(await apply('one')).toBe(false);
    expect([await policies.get(ledger.database), await policies.get(ledger.database)]).toEqual(['one', 'one']);
    expect(await apply('two')).toBe(true);
    expect(await Promise.all(Array.from({ length: 8 }, () => policies.get(ledger.database)))).toEqual(Array(8).fill('two'));
    expect(await apply('one')).toBe(true);
    expect(await policies.get(ledger.database)).toBe('one');
    expect(reads).toEqual(['one', 'two', 'one']);
  });

  test('a set that somebody else wrote into the ledger is used by nobody, and the right one again once it is back', async () => {
    const policies = new CurrentPolicy(
      (files) => files['name'],
      ({ signature }) => (signature === 'good' ? Promise.resolve() : Promise.reject(new Error('not ours'))),
    );
    await apply('mine', 'good');
    expect(await policies.get(ledger.database)).toBe('mine');
    const write = (set: string) => ledger.database.run('', `update policy.set set ${set} where digest = $1`, [digestOf({ name: 'mine' })]);
    for (const [broken, mended] of [
      [`files = '{"name": "theirs"}'`, `files = '{"name": "mine"}'`],
      [`signature = 'forged'`, `signature = 'good'`],
      [`signature = null`, `signature = 'good'`],
    ] as const) {
      await write(broken);
      await expect(policies.get(ledger.database)).rejects.toMatchObject({ code: 'policy-unavailable', status: 503, retriable: true });
      await write(mended);
      expect(await policies.get(ledger.database)).toBe('mine');
    }
    await apply('theirs');
    await expect(policies.get(ledger.database)).rejects.toMatchObject({ code: 'policy-unavailable' });
    await apply('mine', 'good');
    expect(await policies.get(ledger.database)).toBe('mine');
    // Altered as its administrator can, and mended by applying it again: by the console's own role.
    await write(`files = '{"name": "theirs"}', signature = 'forged'`);
    await ledger.database.transaction('apply', async (tx) => {
      await tx.run('', 'set local role mayfly_console');
      const mine = { digest: digestOf({ name: 'mine' }), files: { name: 'mine' }, signature: 'good', appliedBy: 'admin', at: AT };
      expect([await applyPolicySet(tx, mine), await applyPolicySet(tx, mine)]).toEqual([true, false]);
    });
    expect(await policies.get(ledger.database)).toBe('mine');
  });

  test('who made which set current is kept, in order, and two at once come one after the other', async () => {
    const before = (await listPolicySwitches(ledger.database, 1))[0]?.digest;
    await Promise.all(['left', 'right'].map((name) => apply(name)));
    const [last, first] = await listPolicySwitches(ledger.database, 2);
    expect(first).toMatchObject({ kind: 'applied', previous: before, operator: 'admin' });
    expect(last).toMatchObject({ kind: 'applied', previous: first?.digest });
    expect(await currentPolicyDigest(ledger.database)).toBe(last?.digest);
    expect([last?.digest, first?.digest].sort()).toEqual(['left', 'right'].map((name) => digestOf({ name })).sort());
  });
});

describe('listing', () => {
  test('filters match together, newest first, and a place continues where a page ended', async () => {
    const agent = { id: 'spiffe://example.org/agent/lister' };
    for (let i = 0; i < 5; i += 1)
      await granted(ledger.database, { start: task({ agent }), openedAt: plusSeconds(AT, i), policyDigest: 'sha256:two' });
    const first = await listGrants(ledger.database, { agent: agent.id, capability: 'orders-db.read', limit: 3 });
    expect(first.map(({ grant }) => grant.openedAt.getTime() - AT.getTime())).toEqual([4000, 3000, 2000]);
    const rest = await listGrants(ledger.database, { agent: agent.id, limit: 3, after: first.at(-1)!.grant });
    expect(rest).toHaveLength(2);
    expect(rest[0]).toMatchObject({ credentials: [{ name: 'orders' }], leases: [{ state: 'active' }] });
    expect(await listGrants(ledger.database, { agent: agent.id, capability: 'other', limit: 3 })).toEqual([]);
  });
});

describe('waiting', () => {
  test('a waiter is woken by the change, not by the clock', async () => {
    const { grant } = await granted(ledger.database, { lease: false });
    const changes = new TaskChanges(ledger.database);
    try {
      const closed = changes.until(grant.taskId, 20_000, async () =>
        (await findGrantByTask(ledger.database, grant.taskId))?.state === 'closing' ? true : undefined,
      );
      await ledger.database.transaction('end', async (tx) =>
        endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'operator', by: 'test', at: AT }),
      );
      expect(await closed).toBe(true);
      expect(await changes.until('nobody', 10, () => Promise.resolve(undefined))).toBeUndefined();
    } finally {
      await changes.close();
    }
  });
});

describe('stuck leases', () => {
  test('go back to revoking, and only from there to an end', async () => {
    const { lease, grant, credential } = await granted(ledger.database);
    await ledger.database.transaction('end', (tx) => endLease(tx, grant, credential, lease, { cause: 'operator', by: 'test', at: AT }));
    expect(await transitionLease(ledger.database, lease.ref, 'revoking', 'stuck', { lastProblem: 'x' })).toMatchObject({ state: 'stuck' });
    await expect(transitionLease(ledger.database, lease.ref, 'stuck', 'revoked')).rejects.toThrow(TypeError);
    expect(await transitionLease(ledger.database, lease.ref, 'stuck', 'revoking')).toMatchObject({ state: 'revoking' });
    expect(await transitionLease(ledger.database, lease.ref, 'revoking', 'revoked', { confirmedAt: AT })).toMatchObject({
      state: 'revoked',
    });
  });
});
