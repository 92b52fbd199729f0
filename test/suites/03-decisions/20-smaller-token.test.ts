import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PolicyFiles } from '@mayfly/policy';
import { openDatabase, type Database } from '@mayfly/postgres';
import { figure, secondsSince } from '../../world/faults.js';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { VaultEyes } from '../../world/vault-eyes.js';
import { until, World } from '../../world/world.js';

let world: World;
let hold: PolicyHold;
let ledger: Database;
let vault: VaultEyes;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
  ledger = openDatabase({ url: world.dev.postgres.url, applicationName: 'test', maxConnections: 1 });
  vault = new VaultEyes(world.dev);
}, 300_000);
afterAll(async () => {
  await hold?.release();
  await ledger?.close();
  await world?.close();
});

const forbidding = (initiator: string, capability: string): PolicyFiles => ({
  ...hold.example,
  'policies/test-token.cedar': `@id("test-token")
forbid (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource == Mayfly::Capability::"${capability}")
when { context has initiator && context.initiator == Mayfly::Initiator::"${initiator}" };
`,
});
/** Accessors of the task's token, and of those that it had before. */
async function tokensOf(taskId: string): Promise<{ current: string; retired: string[] }> {
  const rows = await ledger.run<{ current: string; retired: string[] }>(
    '',
    `select token_accessor as current, array(select accessor from ledger.retired_token r where r.grant_id = g.id order by retired_at) as retired
     from ledger.task_grant g where task_id = $1`,
    [taskId],
  );
  return rows[0]!;
}

test('a narrowed task keeps its other lease, and its token opens only that; what is permitted again works again; its end ends every token', async () => {
  const initiator = `token-${world.newTaskId()}@example.org`;
  const data = { initiator: { id: initiator, kind: 'human' } };
  const taskId = await world.start(['orders-db.read', 'service.cert'], { data });
  const kept = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  await world.agent().secret(taskId, 'service', { waitSeconds: 15 });
  const first = (await tokensOf(taskId)).current;
  expect(await vault.policiesOf(first)).toEqual(['cap-orders-db.read', 'cap-service.cert']);

  const applied = performance.now();
  await hold.apply(forbidding(initiator, 'service.cert'));
  const second = await until('another token has the place of the first', async () => {
    const { current } = await tokensOf(taskId);
    return current === first ? undefined : current;
  });
  figure(`the token lacks what was lost ${secondsSince(applied)} s after another policy set was applied`);
  expect(await vault.policiesOf(second)).toEqual(['cap-orders-db.read']);
  expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ credential: 'service', cause: 'policy_drift' });
  figure(`what was lost is confirmed dead after ${secondsSince(applied)} s`);
  expect(await world.isRefused(kept.data)).toBe(false);
  // The kept lease hangs on the first token, whose secret nobody holds any more.
  expect(await vault.policiesOf(first)).toBeDefined();
  expect((await tokensOf(taskId)).retired).toEqual([first]);
  expect((await world.ask(`/v1/tasks/${taskId}/secrets/service`)).status).toBe(403);

  // The same task, permitted again: it asks, and its token grows.
  await hold.apply(hold.example);
  const asked = performance.now();
  const again = await world.agent().secret(taskId, 'service', { waitSeconds: 15 });
  figure(`what is permitted again is handed out ${secondsSince(asked)} s after it was asked for`);
  expect(again.data).toHaveProperty('certificate');
  const third = (await tokensOf(taskId)).current;
  expect(await vault.policiesOf(third)).toEqual(['cap-orders-db.read', 'cap-service.cert']);

  // The last lease under the first token is given back: that token need not wait for the end of the task.
  await world.agent().release(taskId, ['orders-db']);
  await until('the first token is gone', async () => ((await vault.policiesOf(first)) === undefined ? true : undefined));
  expect(await world.isRefused(kept.data)).toBe(true);

  await world.end(taskId);
  await world.event(taskId, 'grant.closed');
  for (const accessor of [first, second, third]) expect(await vault.policiesOf(accessor)).toBeUndefined();
  const { body } = await world.operate(`/v1/tasks/${taskId}/timeline`);
  const replaced = (body.entries as { kind: string; data: object }[]).filter(({ kind }) => kind.endsWith('task-token-replaced.v1'));
  expect(replaced.map(({ data: facts }) => facts)).toEqual([
    { opens: ['orders-db.read'], lost: ['service.cert'], gained: [] },
    { opens: ['orders-db.read', 'service.cert'], lost: [], gained: ['service.cert'] },
  ]);
}, 60_000);

test('what waits for its fetch is not lost with the token that it was minted with', async () => {
  const initiator = `token-${world.newTaskId()}@example.org`;
  const taskId = await world.start(['orders-db.read', 'service.cert'], { data: { initiator: { id: initiator, kind: 'human' } } });
  const { data: issued } = await world.event(taskId, 'credential.issued');
  const first = (await tokensOf(taskId)).current;
  await hold.apply(forbidding(initiator, 'service.cert'));
  await until('another token has the place of the first', async () => ((await tokensOf(taskId)).current === first ? undefined : true));
  const fetched = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  expect(fetched.leaseRef).toBe(issued['leaseRef']);
  expect(await world.isRefused(fetched.data)).toBe(false);
  await hold.apply(hold.example);
  await world.end(taskId);
}, 60_000);
