import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newLeaseRef, plusSeconds } from '@mayfly/domain';
import { nextAttemptAt, STUCK_AFTER_ATTEMPTS } from '@mayfly/revocation';
import {
  amendGrant,
  claimMints,
  endGrant,
  endLease,
  findGrantByTask,
  findLease,
  intendLease,
  leasesOf,
  lockGrant,
  openDatabase,
  settleMint,
  transitionLease,
  type Database,
  amendLease,
} from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, granted, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { CLOSED, end, live, REVOKED, revokerOn, STUCK, told, type World } from './world.js';

let ledger: Ledger;
let world: World;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  // Each test has the queue for itself.
  await ledger.database.run('', 'update ledger.task_grant set revoke_at = null, mint_at = null');
  world = revokerOn(ledger.database);
});

const grantOf = async (id: string) => (await findGrantByTask(ledger.database, id))!;
const leaseOf = async (ref: Parameters<typeof findLease>[1]) => (await findLease(ledger.database, ref))!;
/** Longer than any pause between two attempts. */
const later = () => world.clock.advance(31_000);

describe('the end of a task', () => {
  test('is carried out: lease, token and user are gone, proven and announced once, and the grant is closed', async () => {
    const { grant, lease } = await live(world);
    await end(world, grant.taskId);
    expect(await world.revoking.killDue()).toBe(1);
    expect(await leaseOf(lease.ref)).toMatchObject({
      state: 'revoked',
      confirmedAt: AT,
      proof: { shape: 'revocable', lease: 'vault: invalid lease', token: 'vault: invalid accessor', target: 'fake: 0 login roles' },
    });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed', closedAt: AT });
    expect(world.vault.principals.size).toBe(0);
    expect(await world.vault.isTokenGone(grant.tokenAccessor!)).toBe(true);
    later();
    expect(await world.revoking.killDue()).toBe(0);
    expect(await told(world, grant.taskId)).toMatchObject({ [REVOKED]: 1, [CLOSED]: 1 });
  });

  test('is written at once: while it cannot be closed, nothing that was proven is announced either', async () => {
    const { grant, lease } = await live(world);
    await end(world, grant.taskId);
    const refusing: Database = {
      ...ledger.database,
      transaction: (summary, work) =>
        ledger.database.transaction(summary, async (tx) => {
          const result = await work(tx);
          if (summary === 'close grant') throw new Error('broke off before the commit');
          return result;
        }),
    };
    await expect(revokerOn(refusing, world.clock, world.vault).revoking.killDue()).rejects.toThrow('broke off');
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoking' });
    expect(await told(world, grant.taskId)).not.toMatchObject({ [REVOKED]: 1 });
    later();
    expect(await world.revoking.killDue()).toBe(1);
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoked' });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
    expect(await told(world, grant.taskId)).toMatchObject({ [REVOKED]: 1, [CLOSED]: 1 });
  });

  test('without anything minted closes at once', async () => {
    const { grant } = await granted(ledger.database, { lease: false });
    await end(world, grant.taskId);
    await world.revoking.killDue();
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
  });

  test('a lease that nobody lived to write down dies with its token, and the target is asked by the grant’s id', async () => {
    const { grant, lease, token } = await live(world);
    const ref = newLeaseRef();
    await transitionLease(ledger.database, lease.ref, 'active', 'revoking', { cause: 'superseded' });
    await world.vault.revokeLease(lease.vaultLeaseId!);
    await transitionLease(ledger.database, lease.ref, 'revoking', 'revoked');
    await intendLease(ledger.database, { ref, grantId: grant.id, name: 'orders', minter: 'issuer', intendedAt: AT });
    await world.vault.mint({ leaseRef: ref, capability: (await live(world)).credential.spec!, ttlSeconds: 60, token });
    await end(world, grant.taskId);
    await world.revoking.killDue();
    expect(await leaseOf(ref)).toMatchObject({ state: 'revoked', proof: { target: 'fake: 0 login roles' } });
    expect([...world.vault.principals].filter((one) => one.includes(grant.id))).toEqual([]);
  });

  test('is not called complete while the target knows a copy that nobody wrote down', async () => {
    const { grant } = await live(world, { target: 'orders' });
    const forgotten = `token-${grant.id}-forgotten`;
    world.vault.principals.add(forgotten);
    await end(world, grant.taskId);
    await world.revoking.killDue();
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', revokeAttempts: 1 });
    expect(world.quarantined).toEqual([forgotten]);
    expect(await told(world, grant.taskId)).toMatchObject({ 'dev.mayfly.evidence.orphan-ended.v1': 1 });
    later();
    await world.revoking.killDue();
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
    expect(await told(world, grant.taskId)).toMatchObject({ [REVOKED]: 1, [CLOSED]: 1 });
  });

  test('is complete when a revocation that was interrupted left only the accessor of its token', async () => {
    const { grant } = await live(world);
    world.vault.dangling.add((await grantOf(grant.taskId)).tokenAccessor!);
    await end(world, grant.taskId);
    await world.revoking.killDue();
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
  });

  test('of one credential leaves the task, its token and its other credentials alone', async () => {
    const { grant, credential, lease } = await live(world);
    await ledger.database.transaction('test', async (tx) => {
      await endLease(tx, (await lockGrant(tx, grant.id))!, credential, lease, { cause: 'superseded', by: 'delivery', at: AT });
    });
    await world.revoking.killDue();
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoked', cause: 'superseded' });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'granted' });
    expect(await world.vault.isTokenGone(grant.tokenAccessor!)).toBe(false);
  });

  test('is not held up by another one whose row somebody else keeps locked', async () => {
    const [held, free] = [await live(world), await live(world)];
    await Promise.all([end(world, held.grant.taskId), end(world, free.grant.taskId)]);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: locked, resolve: lock } = Promise.withResolvers<void>();
    const holder = ledger.database.transaction('hang', async (tx) => {
      await lockGrant(tx, held.grant.id);
      lock();
      await released;
    });
    await locked;
    const killed = world.revoking.killDue().catch(() => undefined);
    const startedAt = performance.now();
    while ((await grantOf(free.grant.taskId))?.state !== 'closed') expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(await grantOf(held.grant.taskId)).toMatchObject({ state: 'closing' });
    release();
    await Promise.all([holder, killed]);
    world.clock.advance(4_000);
    await world.revoking.killDue();
    expect(await grantOf(held.grant.taskId)).toMatchObject({ state: 'closed' });
  });

  test('carried out by two replicas at once is announced once', async () => {
    const second = openDatabase({ url: ledger.url, applicationName: 'replica' });
    try {
      const other = revokerOn(second, world.clock, world.vault);
      const tasks = await Promise.all(Array.from({ length: 10 }, () => live(world)));
      await Promise.all(tasks.map(({ grant }) => end(world, grant.taskId)));
      const took = await Promise.all([world.revoking.killDue(), other.revoking.killDue(), world.revoking.killDue()]);
      expect(took.reduce((sum, one) => sum + one)).toBe(10);
      for (const { grant } of tasks) expect(await told(world, grant.taskId)).toMatchObject({ [REVOKED]: 1, [CLOSED]: 1 });
    } finally {
      await second.close();
    }
  });
});

describe('what cannot be killed yet', () => {
  test.each<[string, (world: World, on: boolean) => void, string]>([
    ['Vault is away', ({ vault }, on) => void (vault.down = on), 'vault-unavailable'],
    ['Vault’s engine refuses', ({ vault }, on) => void (vault.stubborn = on), 'revoke-failed'],
    ['the target is away', ({ target }, on) => void (target.away = on), 'target-unavailable'],
    ['the target still accepts it', ({ target }, on) => void (target.accepts = on), 'target-still-accepts'],
  ])(
    'is tried until it is dead, when %s: stuck after five attempts, said once, and never called revoked before',
    async (_, trouble, problem) => {
      const { grant, lease } = await live(world);
      await end(world, grant.taskId);
      trouble(world, true);
      for (let attempt = 1; attempt <= 9; attempt += 1) {
        expect(await world.revoking.killDue()).toBe(1);
        expect(await leaseOf(lease.ref)).toMatchObject({
          state: attempt < STUCK_AFTER_ATTEMPTS ? 'revoking' : 'stuck',
          lastProblem: problem,
        });
        expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', revokeAttempts: attempt });
        const said = await told(world, grant.taskId);
        expect([said[STUCK] ?? 0, said[REVOKED] ?? 0, said[CLOSED] ?? 0]).toEqual([attempt < STUCK_AFTER_ATTEMPTS ? 0 : 1, 0, 0]);
        // Not a moment before its time, and then at once.
        const pause = nextAttemptAt(attempt, world.clock.now()).getTime() - world.clock.now().getTime();
        world.clock.advance(pause - 1);
        expect(await world.revoking.killDue()).toBe(0);
        world.clock.advance(1);
      }
      trouble(world, false);
      expect(await world.revoking.killDue()).toBe(1);
      expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoked' });
      expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
      expect(await told(world, grant.taskId)).toMatchObject({ [REVOKED]: 1, [STUCK]: 1, [CLOSED]: 1 });
    },
  );

  test('each stuck lease is said once, also one that joins late', async () => {
    const { grant, credential, lease } = await live(world);
    const endOne = (ref: typeof lease.ref) =>
      ledger.database.transaction('test', async (tx) => {
        const one = (await findLease(tx, ref))!;
        await endLease(tx, (await lockGrant(tx, grant.id))!, credential, one, {
          cause: 'superseded',
          by: 'delivery',
          at: world.clock.now(),
        });
      });
    world.vault.stubborn = true;
    await endOne(lease.ref);
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      await world.revoking.killDue();
      later();
    }
    const ref = newLeaseRef();
    await intendLease(ledger.database, { ref, grantId: grant.id, name: 'orders', minter: 'delivery', intendedAt: AT });
    await transitionLease(ledger.database, ref, 'minting', 'active', { issuedAt: AT, vaultLeaseId: 'unknown', principal: 'unknown' });
    await endOne(ref);
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      await world.revoking.killDue();
      later();
    }
    expect((await leasesOf(ledger.database, grant.id)).map(({ state }) => state)).toEqual(['stuck', 'stuck']);
    expect(await told(world, grant.taskId)).toMatchObject({ [STUCK]: 2 });
  });

  test('does not hold up what can be', async () => {
    const [stuck, other] = [await live(world), await live(world)];
    const revokeLease = world.vault.revokeLease.bind(world.vault);
    world.vault.revokeLease = async (id) => {
      if (id === stuck.lease.vaultLeaseId) throw new TypeError('a bug');
      return revokeLease(id);
    };
    await Promise.all([end(world, stuck.grant.taskId), end(world, other.grant.taskId)]);
    expect(await world.revoking.killDue()).toBe(2);
    expect(await leaseOf(other.lease.ref)).toMatchObject({ state: 'revoked' });
    expect(await leaseOf(stuck.lease.ref)).toMatchObject({ state: 'revoking', lastProblem: 'unexpected' });
  });
});

describe('what nobody can end earlier', () => {
  const ssh = { name: 'bastion.ssh', engine: 'ssh', shape: 'expiry-only', vaultPolicy: 'cap-bastion.ssh', probe: false } as const;

  test('an expiry-only credential is waited for, and then expired, never revoked', async () => {
    const { grant, lease } = await live(world, ssh);
    await end(world, grant.taskId);
    await world.revoking.killDue();
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoking' });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', revokeAttempts: 0 });
    expect(await world.vault.isTokenGone(grant.tokenAccessor!)).toBe(true);
    world.clock.advance(59_999);
    expect(await world.revoking.killDue()).toBe(0);
    world.clock.advance(1);
    expect(await world.revoking.killDue()).toBe(1);
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'expired', confirmedAt: plusSeconds(AT, 60) });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
    const said = await told(world, grant.taskId);
    expect(said).toMatchObject({ 'dev.mayfly.evidence.credential-expired.v1': 1, [CLOSED]: 1 });
    expect(said[REVOKED]).toBeUndefined();
  });

  test('what a task had read when it was stopped is tainted, and that is said; what it had not read, or only ended, is not', async () => {
    const kv = {
      name: 'reports.kv',
      engine: 'kv',
      shape: 'static',
      compensation: 'taint',
      vaultPolicy: 'cap-reports.kv',
      probe: false,
    } as const;
    const stop = async (cause: 'operator' | 'task_ended', read: boolean) => {
      const { grant, lease } = await live(world, kv);
      if (read) await amendLease(ledger.database, lease.ref, ['active'], { deliveredAt: AT });
      await ledger.database.transaction('test', async (tx) =>
        endGrant(tx, (await lockGrant(tx, grant.id))!, { cause, by: 'console', at: AT }),
      );
      await world.revoking.killDue();
      return (await told(world, grant.taskId))['dev.mayfly.evidence.secret-tainted.v1'] ?? 0;
    };
    expect([await stop('operator', true), await stop('operator', false), await stop('task_ended', true)]).toEqual([1, 0, 0]);
  });

  test('of static material only the way to it is closed, and nothing more is said', async () => {
    const { grant, lease } = await live(world, {
      name: 'reports.kv',
      engine: 'kv',
      shape: 'static',
      vaultPolicy: 'cap-reports.kv',
      probe: false,
    });
    await end(world, grant.taskId);
    await world.revoking.killDue();
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'access_ended' });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
    const said = await told(world, grant.taskId);
    expect(said).toMatchObject({ 'dev.mayfly.evidence.credential-access-ended.v1': 1 });
    expect(said[REVOKED]).toBeUndefined();
  });
});

describe('a token that is being made this very moment is not “no token”', () => {
  /** A task that ended while the issuer holds its minting. */
  async function endedWhileMinting() {
    const { grant } = await granted(ledger.database, { lease: false });
    await ledger.database.run('', 'update ledger.task_grant set mint_at = $2 where id = $1', [grant.id, AT]);
    const [claim] = await claimMints(ledger.database, AT, 15, 1);
    await end(world, grant.taskId);
    /** What the issuer does when its token comes too late. */
    const issuerFinishes = async (): Promise<string> => {
      const { accessor, sealed } = await world.vault.create({
        grantId: grant.id,
        taskId: grant.taskId,
        tenant: 'default',
        policies: ['cap-orders-db.read'],
        ttlSeconds: 36_000,
      });
      await amendGrant(ledger.database, grant.id, 'closing', { tokenAccessor: accessor, sealedToken: sealed });
      await settleMint(ledger.database, claim!, null);
      return accessor;
    };
    return { grant, issuerFinishes };
  }

  test('the grant stays open until the issuer is through, and the late token is killed', async () => {
    const { grant, issuerFinishes } = await endedWhileMinting();
    await world.revoking.killDue();
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing' });
    const accessor = await issuerFinishes();
    later();
    await world.revoking.killDue();
    expect(await world.vault.isTokenGone(accessor)).toBe(true);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
  });

  test('also if the issuer finishes while the revoker is reading', async () => {
    const { grant, issuerFinishes } = await endedWhileMinting();
    let finished: Promise<string> | undefined;
    // The worst order there can be: the issuer finishes right after the grant was read with its mint under way.
    const unlucky: Database = {
      ...ledger.database,
      run: async (name, text, values) => {
        const rows = await ledger.database.run(name, text, values);
        if (name === 'grant.whole') {
          finished ??= issuerFinishes();
          await finished;
        }
        return rows as never;
      },
    };
    await revokerOn(unlucky, world.clock, world.vault).revoking.killDue();
    later();
    await world.revoking.killDue();
    expect(await world.vault.isTokenGone((await finished)!)).toBe(true);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closed' });
  });
});
