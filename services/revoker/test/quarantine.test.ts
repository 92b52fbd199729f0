import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newLeaseRef } from '@mayfly/domain';
import { endLease, findGrantByTask, findLease, intendLease, lockGrant, readTaskEntries, transitionLease } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { QUARANTINE_AFTER_SECONDS, quarantineOverdue } from '../src/quarantine-overdue.js';
import { watchTheClock } from '../src/watches.js';
import { end, live, REVOKED, STUCK, revokerOn, told, type World } from './world.js';

const QUARANTINED = 'dev.mayfly.evidence.credential-quarantined.v1';
let ledger: Ledger;
let world: World;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await ledger.database.run('', 'update ledger.task_grant set revoke_at = null, mint_at = null');
  await ledger.database.run('', 'update ledger.lease set quarantined_at = now() where quarantined_at is null');
  world = revokerOn(ledger.database);
});

const orders = { target: 'orders' } as const;
const leaseOf = async (ref: Parameters<typeof findLease>[1]) => (await findLease(ledger.database, ref))!;
const facts = async (taskId: string) => (await readTaskEntries(ledger.database, taskId)).filter(({ kind }) => kind === QUARANTINED);
const after = (seconds: number) => {
  world.clock.advance(seconds * 1000);
  return quarantineOverdue(world, 'orders');
};

describe('with Vault away', () => {
  test('a credential is ended at its target all the same, soon after the first failure; it is said, and not called revoked', async () => {
    const { grant, lease } = await live(world, orders);
    await end(world, grant.taskId);
    world.vault.down = true;
    await world.revoking.killDue();
    expect(await after(QUARANTINE_AFTER_SECONDS.failed - 0.001)).toBe(0);
    expect(await after(0.001)).toBe(1);
    expect(world.quarantined).toEqual([lease.principal]);
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoking', quarantinedAt: world.clock.now() });
    expect(await facts(grant.taskId)).toMatchObject([
      { data: { leaseRef: lease.ref, target: 'orders', principals: 1, reason: 'vault-unavailable', cause: 'task_ended' } },
    ]);
    expect((await told(world, grant.taskId))[REVOKED]).toBeUndefined();
    expect(await after(60)).toBe(0);
  });

  test('also when its calls hang, so that no attempt has even failed', async () => {
    const { grant, lease } = await live(world, orders);
    await end(world, grant.taskId);
    expect(await after(QUARANTINE_AFTER_SECONDS.any - 0.001)).toBe(0);
    expect(await after(0.001)).toBe(1);
    expect(await facts(grant.taskId)).toMatchObject([{ data: { reason: 'no-answer' } }]);
    expect((await leaseOf(lease.ref)).state).toBe('revoking');
  });

  test('but not while others are proven dead there all the time: a storm that drains is left to the killing, though not for ever', async () => {
    const [first, second] = [await live(world, orders), await live(world, orders)];
    expect(world.revoking.drains('orders')).toBe(false);
    await end(world, first.grant.taskId);
    await world.revoking.killDue();
    expect([world.revoking.drains('orders'), world.revoking.drains('elsewhere')]).toEqual([true, false]);
    await end(world, second.grant.taskId);
    world.clock.advance((QUARANTINE_AFTER_SECONDS.draining - 0.001) * 1000);
    expect(await quarantineOverdue(world, 'orders', true)).toBe(0);
    world.clock.advance(1);
    expect(await quarantineOverdue(world, 'orders', true)).toBe(1);
  });

  test('revoked is said once Vault is back and has confirmed it too', async () => {
    const { grant, lease } = await live(world, orders);
    await end(world, grant.taskId);
    world.vault.down = true;
    await world.revoking.killDue();
    await after(QUARANTINE_AFTER_SECONDS.failed);
    world.vault.down = false;
    await world.revoking.killDue();
    expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoked', proof: { lease: 'vault: invalid lease' } });
    expect(await told(world, grant.taskId)).toMatchObject({ [REVOKED]: 1, [QUARANTINED]: 1 });
  });

  test('a target that is away too is asked again, and nothing is claimed meanwhile', async () => {
    const { grant, lease } = await live(world, orders);
    await end(world, grant.taskId);
    world.target.away = true;
    await expect(after(60)).rejects.toMatchObject({ code: 'target-unavailable' });
    expect((await leaseOf(lease.ref)).quarantinedAt).toBeUndefined();
    world.target.away = false;
    expect(await after(1)).toBe(1);
  });

  test('what cannot be ended at a target is left alone: other targets, other shapes, what lives', async () => {
    await live(world, orders);
    const elsewhere = await live(world, { target: 'elsewhere' });
    const ssh = await live(world, { engine: 'ssh', shape: 'expiry-only', vaultPolicy: 'cap-bastion.ssh', ...orders });
    for (const { grant } of [elsewhere, ssh]) await end(world, grant.taskId);
    expect(await after(60)).toBe(0);
    expect(world.quarantined).toEqual([]);
  });
});

describe('what nobody lived to write down', () => {
  test('is found by the grant’s id when the task ends, once its mint can bring nothing more', async () => {
    const { grant, lease, token, credential } = await live(world, orders);
    await transitionLease(ledger.database, lease.ref, 'active', 'revoking', { cause: 'superseded' });
    await transitionLease(ledger.database, lease.ref, 'revoking', 'revoked');
    const ref = newLeaseRef();
    await intendLease(ledger.database, { ref, grantId: grant.id, name: 'orders', minter: 'delivery', intendedAt: AT });
    const { principal } = await world.vault.mint({ leaseRef: ref, capability: credential.spec!, ttlSeconds: 60, token });
    await end(world, grant.taskId);
    expect(await after(19)).toBe(0);
    expect(await after(1)).toBe(1);
    expect(world.quarantined).toContain(principal);
  });

  test('of a task that goes on does not cost it its other credentials', async () => {
    const { grant, lease, credential } = await live(world, orders);
    const lost = `token-${grant.id}-lost`;
    world.target.forgot.add(lost);
    await transitionLease(ledger.database, lease.ref, 'active', 'revoking', { cause: 'superseded' });
    const ref = newLeaseRef();
    await intendLease(ledger.database, { ref, grantId: grant.id, name: 'orders', minter: 'delivery', intendedAt: AT });
    await ledger.database.transaction('test', async (tx) => {
      await endLease(tx, (await lockGrant(tx, grant.id))!, credential, (await findLease(tx, ref))!, {
        cause: 'expired',
        by: 'revoker',
        at: AT,
      });
    });
    await ledger.database.run('', 'update ledger.lease set quarantined_at = now() where ref = $1', [lease.ref]);
    expect(await after(60)).toBe(1);
    expect(world.quarantined).toEqual([lost]);
  });
});

test('a mint whose answer was lost is over while its task lives: ended at its target, then by the walk, then proven; the next fetch may mint', async () => {
  const { grant, lease, token, credential } = await live(world, orders);
  await transitionLease(ledger.database, lease.ref, 'active', 'revoking', { cause: 'superseded' });
  await world.revoking.killDue();
  await transitionLease(ledger.database, lease.ref, 'revoking', 'revoked');
  await world.vault.revokeLease(lease.vaultLeaseId!);
  const ref = newLeaseRef();
  await intendLease(ledger.database, { ref, grantId: grant.id, name: 'orders', minter: 'delivery', intendedAt: AT });
  const lost = await world.vault.mint({ leaseRef: ref, capability: credential.spec!, ttlSeconds: 600, token });
  world.clock.advance(30_000);
  await watchTheClock(world);
  await world.revoking.killDue();
  expect(await leaseOf(ref)).toMatchObject({ state: 'revoking', cause: 'expired' });
  expect(await after(8)).toBe(1);
  expect(world.quarantined).toEqual([lost.principal]);
  // What the walk over Vault's leases does.
  await world.vault.revokeLease(lost.vaultLeaseId!);
  world.settled.until = world.clock.now();
  await world.revoking.killDue();
  expect(await leaseOf(ref)).toMatchObject({ state: 'revoked', proof: { target: expect.stringContaining('0 users') } });
  expect(await told(world, grant.taskId)).not.toHaveProperty([STUCK]);
  expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ state: 'granted' });
});

test('what Vault has forgotten and the target still accepts is ended there at once, and then it is true', async () => {
  const { grant, lease } = await live(world, orders);
  world.target.forgot.add(lease.principal!);
  await end(world, grant.taskId);
  await world.revoking.killDue();
  expect(world.target.forgot.size).toBe(0);
  expect(await leaseOf(lease.ref)).toMatchObject({ state: 'revoked', proof: { target: 'fake: 0 login roles' } });
  expect(await facts(grant.taskId)).toMatchObject([{ data: { reason: 'target-still-accepts' } }]);
});

test('two replicas that quarantine the same credential say it once', async () => {
  const { grant } = await live(world, orders);
  const other = revokerOn(ledger.database, world.clock, world.vault);
  await end(world, grant.taskId);
  world.clock.advance(60_000);
  await Promise.all([quarantineOverdue(world, 'orders'), quarantineOverdue(other, 'orders')]);
  expect(await facts(grant.taskId)).toHaveLength(1);
});
