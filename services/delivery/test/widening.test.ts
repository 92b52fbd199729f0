/** Fetching what was lost and is permitted again: the token has to open it first. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { shallOpen } from '@mayfly/grant';
import {
  amendGrant,
  credentialsOf,
  endLease,
  findGrantByTask,
  findLease,
  lockGrant,
  narrowToken,
  readTaskEntries,
  replaceTaskToken,
} from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { beingMinted, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { AGENT, deliveryOn, ready } from './world.js';

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

const CAPABILITY = 'orders-db.read';
const grantOf = async (id: string) => (await findGrantByTask(ledger.database, id))!;
/** What drift does. */
const lose = (id: Parameters<typeof lockGrant>[1]) =>
  ledger.database.transaction('test', async (tx) => {
    await lockGrant(tx, id);
    await narrowToken(tx, id, [CAPABILITY], world.clock.now());
  });
/** What the issuer does with a grant that was queued. */
async function replace(id: string): Promise<void> {
  const seen = await grantOf(id);
  if (!(await beingMinted(ledger.database, seen.id))) return;
  const credentials = await credentialsOf(ledger.database, seen.id);
  const opens = shallOpen(seen, credentials);
  const policies = credentials.flatMap(({ capability, spec }) => (spec && opens.includes(capability) ? [spec.vaultPolicy] : []));
  const made = await world.vault.create({ grantId: seen.id, taskId: seen.taskId, tenant: seen.tenant, policies, ttlSeconds: 600 });
  await ledger.database.transaction('test', async (tx) => {
    await replaceTaskToken(tx, seen, credentials, { ...made, opens }, world.clock.now());
    await tx.run('', 'update ledger.task_grant set mint_at = null where id = $1', [seen.id]);
  });
}

test('is not ready until the token was made anew, and a fetch that waits gets it then', async () => {
  const { grant, credential, lease } = await ready(world);
  await lose(grant.id);
  await ledger.database.transaction('test', async (tx) => {
    const locked = (await lockGrant(tx, grant.id))!;
    await endLease(tx, locked, credential, lease, { cause: 'superseded', by: 'test', at: world.clock.now() });
  });
  await replace(grant.taskId);
  expect(await grantOf(grant.taskId)).toMatchObject({ tokenCapabilities: [] });

  await expect(world.delivering.fetch(grant.taskId, 'orders', AGENT, 0)).rejects.toMatchObject({ code: 'not-ready' });
  expect(await grantOf(grant.taskId)).toMatchObject({ lostCapabilities: [], tokenCapabilities: [] });
  const waiting = world.delivering.fetch(grant.taskId, 'orders', AGENT, 10_000);
  let done = false;
  void waiting.finally(() => (done = true));
  while (!done) await replace(grant.taskId);
  const { leaseRef } = await waiting;
  expect(await findLease(ledger.database, leaseRef as never)).toMatchObject({ state: 'active' });
});

test('is handed out at once when the token was not replaced yet', async () => {
  const { grant } = await ready(world);
  await lose(grant.id);
  await expect(world.delivering.fetch(grant.taskId, 'orders', AGENT, 0)).resolves.toMatchObject({ capability: CAPABILITY });
  expect(await grantOf(grant.taskId)).toMatchObject({ lostCapabilities: [] });
});

test('what is lost between the decision and the mint is not minted, even under the same policy set', async () => {
  const { grant } = await ready(world);
  world.hooks.afterDecision = async () => {
    world.hooks.afterDecision = undefined;
    // After the step that looks whether the token opens it.
    const real = ledger.database.transaction.bind(ledger.database);
    Object.assign(ledger.database, {
      transaction: async (name: string, work: never) => {
        Object.assign(ledger.database, { transaction: real });
        if (name === 'reserve lease') await lose(grant.id);
        return real(name, work);
      },
    });
  };
  await expect(world.delivering.fetch(grant.taskId, 'orders', AGENT, 0)).rejects.toMatchObject({ code: 'not-ready' });
});

test('a sub-task asks for its parent too, unless its parent may not have it any more', async () => {
  const parent = await ready(world);
  const child = await ready(world, { parentTaskId: parent.grant.taskId });
  await ledger.database.run('', 'update ledger.task_grant set parent_grant_id = $1 where id = $2', [parent.grant.id, child.grant.id]);
  for (const { grant } of [parent, child]) {
    await lose(grant.id);
    await amendGrant(ledger.database, grant.id, 'granted', { tokenCapabilities: [] });
  }
  await expect(world.delivering.fetch(child.grant.taskId, 'orders', AGENT, 0)).rejects.toMatchObject({ code: 'not-ready' });
  expect(await grantOf(parent.grant.taskId)).toMatchObject({ lostCapabilities: [] });

  await lose(parent.grant.id);
  await amendGrant(ledger.database, parent.grant.id, 'granted', { risk: 90 });
  await lose(child.grant.id);
  await expect(world.delivering.fetch(child.grant.taskId, 'orders', AGENT, 0)).rejects.toMatchObject({ code: 'denied' });
  expect(await readTaskEntries(ledger.database, child.grant.taskId)).toContainEqual(
    expect.objectContaining({
      kind: 'dev.mayfly.evidence.fetch-denied.v1',
      data: expect.objectContaining({ reasons: ['exceeds-parent'] }),
    }),
  );
});
