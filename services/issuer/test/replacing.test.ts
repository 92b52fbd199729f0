/** A task token whose place another one takes: on a real ledger, with Vault going away, and processes dying, at every step of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { plusSeconds, taskId } from '@mayfly/domain';
import {
  credentialsOf,
  endGrant,
  findGrantByTask,
  idleTokens,
  leasesOf,
  lockGrant,
  lockGrantByTask,
  narrowToken,
  readTaskEntries,
  transitionLease,
  unnamedTokens,
  widenToken,
} from '@mayfly/store';
import { MintRefused } from '@mayfly/vault';
import { applyExample } from '../../../libs/store/test/example.js';
import { beingMinted, retiredTokens, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { failOnce, issuerOn, once, started } from './world.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());

const HOLD_MILLISECONDS = 15_000;
const grantOf = async (id: string) => (await findGrantByTask(ledger.database, id))!;
const credentials = [
  { name: 'orders', capability: 'orders-db.read' },
  { name: 'cert', capability: 'service.cert' },
];
type World = ReturnType<typeof issuerOn>;

/** A live task whose token opens two capabilities, with `orders` minted and waiting for its fetch. */
async function live({ issuing }: World, changes: Parameters<typeof started>[0] = {}) {
  const message = started({ credentials, ...changes });
  expect(await issuing.onTaskStarted(message)).toBeUndefined();
  return grantOf(message.task.taskId);
}
/** What drift does when a permit is lost. */
const lose = ({ database, clock }: World, id: string, ...capabilities: string[]) =>
  database.transaction('test', async (tx) => {
    const grant = (await lockGrantByTask(tx, id))!;
    return narrowToken(tx, grant.id, capabilities, clock.now());
  });
const regain = ({ database, clock }: World, id: string, capability: string) =>
  database.transaction('test', async (tx) => widenToken(tx, (await lockGrantByTask(tx, id))!.id, capability, clock.now()));
const specOf = async (id: string, name: string) =>
  (await credentialsOf(ledger.database, (await grantOf(id)).id)).find((credential) => credential.name === name)!.spec!;
/** Whether the token that the ledger has opens this. */
async function canMint({ vault }: World, id: string, name: string): Promise<boolean> {
  const { sealedToken, taskId: of } = await grantOf(id);
  const token = await vault.open(sealedToken!, of);
  const capability = await specOf(id, name);
  const ref = (await leasesOf(ledger.database, (await grantOf(id)).id))[0]!.ref;
  return vault.mint({ leaseRef: ref, capability, ttlSeconds: 60, token }).then(
    async (minted) => {
      await vault.discard(token, minted);
      return true;
    },
    () => false,
  );
}

describe('a grant that lost a capability', () => {
  test('has a token that does not open it; what was minted with the first token lives on under that one', async () => {
    const world = issuerOn(ledger.database);
    const before = await live(world);
    expect(await canMint(world, before.taskId, 'cert')).toBe(true);
    expect(await lose(world, before.taskId, 'service.cert')).toBe(true);
    expect(await world.issuing.mintDue()).toBe(1);

    const after = await grantOf(before.taskId);
    expect(after.tokenAccessor).not.toBe(before.tokenAccessor);
    expect(after).toMatchObject({ lostCapabilities: ['service.cert'], tokenCapabilities: ['orders-db.read'] });
    expect(await canMint(world, before.taskId, 'cert')).toBe(false);
    expect(await canMint(world, before.taskId, 'orders')).toBe(true);
    expect(await leasesOf(ledger.database, before.id)).toMatchObject([{ name: 'orders', state: 'active' }]);
    expect(world.vault.principals.size).toBe(1);
    expect(await retiredTokens(ledger.database, before.id)).toEqual([before.tokenAccessor]);
    expect(await unnamedTokens(ledger.database, [before.tokenAccessor!, after.tokenAccessor!])).toEqual([]);
    expect(await idleTokens(ledger.database, before.id)).toEqual([]);
    expect(await beingMinted(ledger.database, before.id)).toBe(false);
    expect(await readTaskEntries(ledger.database, before.taskId)).toContainEqual(
      expect.objectContaining({
        kind: 'dev.mayfly.evidence.task-token-replaced.v1',
        data: { opens: ['orders-db.read'], lost: ['service.cert'], gained: [] },
      }),
    );
  });

  test('has what waits for its fetch with the new token, and no longer with the first', async () => {
    const world = issuerOn(ledger.database);
    const { vault } = world;
    const before = await live(world);
    await lose(world, before.taskId, 'service.cert');
    await world.issuing.mintDue();
    const after = await grantOf(before.taskId);
    const [lease] = await leasesOf(ledger.database, before.id);
    expect(await vault.take(await vault.open(before.sealedToken!, before.taskId), lease!.ref)).toBeUndefined();
    const kept = await vault.take(await vault.open(after.sealedToken!, after.taskId), lease!.ref);
    expect(kept?.reveal()).toMatchObject({ username: lease!.principal });
  });

  test('gets no second token for what it lost before, and none when everything is as it shall be', async () => {
    const world = issuerOn(ledger.database);
    const { taskId: id } = await live(world);
    await lose(world, id, 'service.cert');
    await world.issuing.mintDue();
    expect(await lose(world, id, 'service.cert')).toBe(false);
    expect(await world.issuing.mintDue()).toBe(0);
    expect(world.vault.counts.created).toBe(2);
  });

  test('gets it back by the same way', async () => {
    const world = issuerOn(ledger.database);
    const { id, taskId: task } = await live(world);
    await lose(world, task, 'service.cert');
    await world.issuing.mintDue();
    await regain(world, task, 'service.cert');
    await world.issuing.mintDue();
    expect(await canMint(world, task, 'cert')).toBe(true);
    expect(await retiredTokens(ledger.database, id)).toHaveLength(2);
  });

  test('before it had a token gets one that never opened it', async () => {
    const world = issuerOn(ledger.database);
    failOnce(world.vault, 'create');
    const message = started({ credentials });
    await world.issuing.onTaskStarted(message);
    await lose(world, message.task.taskId, 'service.cert');
    await world.issuing.mintDue();
    expect(await grantOf(message.task.taskId)).toMatchObject({ tokenCapabilities: ['orders-db.read'] });
    expect(world.vault.counts.created).toBe(1);
  });

  test('while its token was made gets another one: what was read before is not what holds', async () => {
    const world = issuerOn(ledger.database);
    const message = started({ credentials });
    once(world.vault, 'create', async (real) => {
      const made = await real();
      await lose(world, message.task.taskId, 'service.cert');
      return made;
    });
    await world.issuing.onTaskStarted(message);
    await world.issuing.mintDue();
    expect(await grantOf(message.task.taskId)).toMatchObject({ tokenCapabilities: ['orders-db.read'] });
  });

  test('whose smaller token Vault refuses for good is tried again, for as long as it takes', async () => {
    const world = issuerOn(ledger.database);
    const { taskId: task } = await live(world);
    await lose(world, task, 'service.cert');
    once(world.vault, 'create', async () => {
      throw new MintRefused('a task token with these policies');
    });
    await expect(world.issuing.mintDue()).rejects.toMatchObject({ code: 'replacement-refused' });
    world.clock.advance(HOLD_MILLISECONDS);
    expect(await world.issuing.mintDue()).toBe(1);
    expect(await canMint(world, task, 'cert')).toBe(false);
  });
});

describe('a process that dies in a replacement', () => {
  test.each(['create', 'copy'] as const)('when Vault goes away at %s: it is done later, and only one token is left', async (method) => {
    const world = issuerOn(ledger.database);
    const before = await live(world);
    await lose(world, before.taskId, 'service.cert');
    failOnce(world.vault, method);
    await expect(world.issuing.mintDue()).rejects.toMatchObject({ code: 'vault-unavailable' });
    expect(await grantOf(before.taskId)).toMatchObject({ tokenAccessor: before.tokenAccessor });
    world.clock.advance(HOLD_MILLISECONDS);
    expect(await world.issuing.mintDue()).toBe(1);
    const after = await grantOf(before.taskId);
    expect(await canMint(world, before.taskId, 'cert')).toBe(false);
    expect(world.vault.accessors()).toEqual([before.tokenAccessor, after.tokenAccessor].sort());
  });

  test.each(['copy', 'take'] as const)('killed at %s: whatever is left in Vault is named, or is what a walk ends', async (method) => {
    const world = issuerOn(ledger.database);
    const before = await live(world);
    await lose(world, before.taskId, 'service.cert');
    // A process that is killed does nothing more: neither does this call, nor what comes after it.
    let reached: () => void = () => undefined;
    const dead = new Promise<void>((done) => (reached = done));
    once(world.vault, method, () => {
      reached();
      return new Promise(() => undefined);
    });
    void world.issuing.mintDue();
    await dead;
    const existing = world.vault.accessors();
    const unnamed = await unnamedTokens(ledger.database, existing);
    expect(unnamed).toHaveLength(method === 'copy' ? 1 : 0);

    world.clock.advance(HOLD_MILLISECONDS);
    const other = issuerOn(ledger.database, world.clock, world.vault);
    await other.issuing.mintDue();
    for (const accessor of unnamed) await world.vault.revokeToken(accessor);
    expect(await canMint(other, before.taskId, 'cert')).toBe(false);
    expect(await unnamedTokens(ledger.database, world.vault.accessors())).toEqual([]);
    // The credential that waits was lost in none of it.
    const { sealedToken } = await grantOf(before.taskId);
    const [lease] = await leasesOf(ledger.database, before.id);
    expect(await world.vault.take(await world.vault.open(sealedToken!, before.taskId), lease!.ref)).toBeDefined();
  });

  test('that was only paused finds another token in its place, and its own does not live', async () => {
    const world = issuerOn(ledger.database);
    const before = await live(world);
    await lose(world, before.taskId, 'service.cert');
    let resume: () => void = () => undefined;
    const paused = new Promise<void>((done) => (resume = done));
    let made = false;
    once(world.vault, 'create', async (real) => {
      const token = await real();
      made = true;
      await paused;
      return token;
    });
    const slow = world.issuing.mintDue();
    while (!made) await new Promise((done) => setImmediate(done));
    world.clock.advance(HOLD_MILLISECONDS);
    const other = issuerOn(ledger.database, world.clock, world.vault);
    expect(await other.issuing.mintDue()).toBe(1);
    resume();
    await slow;
    const { tokenAccessor } = await grantOf(before.taskId);
    expect(world.vault.accessors()).toEqual([before.tokenAccessor, tokenAccessor].sort());
  });
});

test('a task that ends while its token is replaced has both tokens written down for the revoker', async () => {
  const world = issuerOn(ledger.database);
  const before = await live(world);
  await lose(world, before.taskId, 'service.cert');
  once(world.vault, 'create', async (real) => {
    const made = await real();
    await world.database.transaction('test', async (tx) =>
      endGrant(tx, (await lockGrant(tx, before.id))!, { cause: 'task_ended', by: 'revoker', at: world.clock.now() }),
    );
    return made;
  });
  await world.issuing.mintDue();
  const after = await grantOf(before.taskId);
  expect(after).toMatchObject({ state: 'closing', tokenAccessor: before.tokenAccessor });
  expect([...(await retiredTokens(ledger.database, before.id)), before.tokenAccessor].sort()).toEqual(world.vault.accessors());
});

test('a token on which nothing hangs any more is idle, one with a sub-task under it is not', async () => {
  const world = issuerOn(ledger.database);
  const before = await live(world);
  await lose(world, before.taskId, 'service.cert');
  await world.issuing.mintDue();
  const [lease] = await leasesOf(ledger.database, before.id);
  await ledger.database.transaction('test', async (tx) => {
    await transitionLease(tx, lease!.ref, 'active', 'revoking', { cause: 'agent_release' });
    await transitionLease(tx, lease!.ref, 'revoking', 'revoked', { cause: 'agent_release' });
  });
  expect(await idleTokens(ledger.database, before.id)).toEqual([before.tokenAccessor]);
  await live(world, { parentTaskId: before.taskId, credentials: [credentials[0]!] });
  expect(await idleTokens(ledger.database, before.id)).toEqual([]);
});

describe('a sub-task', () => {
  test('that is started after its parent lost something is refused it, and is made with the smaller token', async () => {
    const world = issuerOn(ledger.database);
    const parent = await live(world);
    await lose(world, parent.taskId, 'service.cert');
    await world.issuing.mintDue();
    const child = await live(world, { parentTaskId: parent.taskId });
    expect((await credentialsOf(ledger.database, child.id)).map(({ name, permitted, reasons }) => [name, permitted, reasons[0]])).toEqual([
      ['orders', true, 'policy-permits'],
      ['cert', false, 'exceeds-parent'],
    ]);
    const { tokenAccessor } = await grantOf(parent.taskId);
    await world.vault.revokeToken(tokenAccessor!);
    expect(await world.vault.isTokenGone(child.tokenAccessor!)).toBe(true);
  });

  test('lives on under its parent’s first token, and dies with it', async () => {
    const world = issuerOn(ledger.database);
    const parent = await live(world);
    const child = await live(world, { parentTaskId: parent.taskId });
    await lose(world, parent.taskId, 'service.cert');
    await world.issuing.mintDue();
    expect(await world.vault.isTokenGone(child.tokenAccessor!)).toBe(false);
    expect(await idleTokens(ledger.database, parent.id)).toEqual([]);
    for (const accessor of await retiredTokens(ledger.database, parent.id)) await world.vault.revokeToken(accessor);
    expect(await world.vault.isTokenGone(child.tokenAccessor!)).toBe(true);
  });

  test('gets nothing that its parent’s token lacks, and gets it as soon as that one has it', async () => {
    const world = issuerOn(ledger.database);
    const parent = await live(world);
    const child = await live(world, { parentTaskId: parent.taskId });
    for (const id of [parent.taskId, child.taskId]) await lose(world, id, 'service.cert');
    await world.issuing.mintDue();
    expect(await grantOf(child.taskId)).toMatchObject({ tokenCapabilities: ['orders-db.read'] });
    await regain(world, child.taskId, 'service.cert');
    await world.issuing.mintDue();
    expect(await grantOf(child.taskId)).toMatchObject({ tokenCapabilities: ['orders-db.read'] });
    await regain(world, parent.taskId, 'service.cert');
    while ((await world.issuing.mintDue()) > 0) await Promise.resolve();
    expect(await canMint(world, child.taskId, 'cert')).toBe(true);
  });

  test('waits for the token of its parent instead of getting one that would not die with it', async () => {
    const world = issuerOn(ledger.database);
    failOnce(world.vault, 'create');
    const parent = started({ credentials, deadline: plusSeconds(world.clock.now(), 600) });
    await world.issuing.onTaskStarted(parent);
    const child = started({ credentials, parentTaskId: taskId(parent.task.taskId) });
    expect(await world.issuing.onTaskStarted(child)).toMatchObject({ code: 'vault-unavailable' });
    world.clock.advance(HOLD_MILLISECONDS);
    for (let round = 0; round < 3; round += 1) {
      await world.issuing.mintDue().catch(() => undefined);
      world.clock.advance(HOLD_MILLISECONDS);
    }
    await world.vault.revokeToken((await grantOf(parent.task.taskId)).tokenAccessor!);
    expect(await world.vault.isTokenGone((await grantOf(child.task.taskId)).tokenAccessor!)).toBe(true);
  });
});
