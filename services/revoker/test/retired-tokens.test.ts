/** Tokens whose place another one took: ended when nothing hangs on them any more, and with their grant at the latest. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TaskToken } from '@mayfly/grant';
import { endLease, findGrantByTask, findLease, lockGrant, replaceTaskToken, unnamedTokens } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { retiredTokens, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { end, live, revokerOn, type World } from './world.js';

let ledger: Ledger;
let world: World;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await ledger.database.run('', 'update ledger.task_grant set revoke_at = null, mint_at = null');
  world = revokerOn(ledger.database);
});

type Live = Awaited<ReturnType<typeof live>>;
const grantOf = async (id: string) => (await findGrantByTask(ledger.database, id))!;
/** What the issuer does. */
async function replace({ grant, credential }: Live): Promise<TaskToken> {
  const { id: grantId, taskId, tenant } = grant;
  const made = await world.vault.create({ grantId, taskId, tenant, policies: [], ttlSeconds: 36_000 });
  const seen = await grantOf(taskId);
  await ledger.database.transaction('test', (tx) => replaceTaskToken(tx, seen, [credential], { ...made, opens: [] }, world.clock.now()));
  return made;
}
const release = ({ grant, credential, lease }: Live) =>
  ledger.database.transaction('test', async (tx) =>
    endLease(tx, (await lockGrant(tx, grant.id))!, credential, lease, { cause: 'agent_release', by: 'delivery', at: world.clock.now() }),
  );
const later = () => world.clock.advance(31_000);

test('the end of a task ends every token that it had, and all that hangs on any of them', async () => {
  const task = await live(world);
  const second = await replace(task);
  const third = await replace(task);
  const { id: grantId, taskId, tenant } = task.grant;
  // A sub-task's token, made with the first one.
  const child = await world.vault.create({ grantId, taskId, tenant, policies: [], ttlSeconds: 60, parent: task.token });
  await end(world, taskId);
  expect(await world.revoking.killDue()).toBe(1);
  expect(await grantOf(taskId)).toMatchObject({ state: 'closed' });
  for (const accessor of [task.grant.tokenAccessor!, second.accessor, third.accessor, child.accessor])
    expect(await world.vault.isTokenGone(accessor)).toBe(true);
  expect(await retiredTokens(ledger.database, grantId)).toEqual([]);
  expect(await ledger.database.run('', 'select proof from ledger.retired_token where grant_id = $1', [grantId])).toEqual([
    { proof: 'vault: invalid accessor' },
    { proof: 'vault: invalid accessor' },
  ]);
});

test('a grant is not closed while Vault still knows a token that it had', async () => {
  const task = await live(world);
  await replace(task);
  await end(world, task.grant.taskId);
  const isTokenGone = world.vault.isTokenGone.bind(world.vault);
  world.vault.isTokenGone = async (accessor) => accessor !== task.grant.tokenAccessor && isTokenGone(accessor);
  await world.revoking.killDue();
  expect(await grantOf(task.grant.taskId)).toMatchObject({ state: 'closing' });
  expect(await findLease(ledger.database, task.lease.ref)).toMatchObject({ state: 'revoked' });
  world.vault.isTokenGone = isTokenGone;
  later();
  await world.revoking.killDue();
  expect(await grantOf(task.grant.taskId)).toMatchObject({ state: 'closed' });
});

test('nor when one was written down after the tokens were ended', async () => {
  const task = await live(world);
  await end(world, task.grant.taskId);
  // The issuer was held up: what it made is written down between the end of the first token and the closing.
  const revokeToken = world.vault.revokeToken.bind(world.vault);
  let late: TaskToken | undefined;
  world.vault.revokeToken = async (accessor) => {
    const answer = await revokeToken(accessor);
    late ??= await replace(task);
    return answer;
  };
  await world.revoking.killDue();
  expect(await grantOf(task.grant.taskId)).toMatchObject({ state: 'closing' });
  later();
  await world.revoking.killDue();
  expect(await grantOf(task.grant.taskId)).toMatchObject({ state: 'closed' });
  expect(await world.vault.isTokenGone(late!.accessor)).toBe(true);
});

test('while a task lives, a token that it had ends with the last lease that hangs on it, and not before', async () => {
  const task = await live(world);
  const { accessor } = await replace(task);
  await world.revoking.killDue();
  expect(await world.vault.isTokenGone(task.grant.tokenAccessor!)).toBe(false);
  expect(world.vault.principals.size).toBe(1);
  expect(await unnamedTokens(ledger.database, [task.grant.tokenAccessor!, accessor])).toEqual([]);

  await release(task);
  await world.revoking.killDue();
  expect(await findLease(ledger.database, task.lease.ref)).toMatchObject({ state: 'revoked' });
  expect(await world.vault.isTokenGone(task.grant.tokenAccessor!)).toBe(true);
  expect(await retiredTokens(ledger.database, task.grant.id)).toEqual([]);
  expect(await grantOf(task.grant.taskId)).toMatchObject({ state: 'granted', tokenAccessor: accessor });
  expect(await world.vault.isTokenGone(accessor)).toBe(false);
});

test('a token that resists its end is tried again', async () => {
  const task = await live(world);
  await release(task);
  await world.revoking.killDue();
  await replace(task);
  world.vault.stubborn = true;
  await world.revoking.killDue();
  expect(await retiredTokens(ledger.database, task.grant.id)).toEqual([task.grant.tokenAccessor]);
  world.vault.stubborn = false;
  later();
  expect(await world.revoking.killDue()).toBe(1);
  expect(await retiredTokens(ledger.database, task.grant.id)).toEqual([]);
});
