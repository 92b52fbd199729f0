import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '@mayfly/postgres';
import { World } from '../../world/world.js';

let world: World;
let ledger: Database;
beforeAll(async () => {
  world = await World.open();
  ledger = openDatabase({ url: world.dev.postgres.url, applicationName: 'test', maxConnections: 1 });
}, 60_000);
afterAll(async () => {
  await ledger?.close();
  await world?.close();
});

const SQL = [
  `'; drop table orders; --`,
  `"; drop table orders; --`,
  `$$; drop table orders; $$`,
  `{{name}}', '') or 1=1 --`,
  `\\'; select pg_sleep(9)`,
];

/** All that an orchestrator can say, where it may say anything, and every character where it may not. */
const telling = (text: string) => ({
  workflow: { name: 'nightly-etl', version: text },
  initiator: { id: text, kind: 'human' as const },
  intent: { purpose: text, dataClass: 'internal', plan: [{ tool: text, action: 'read', resource: text }] },
});

test.each(SQL)('[bad 72] %j in everything that a start says makes a user, and ends it, as any other', async (text) => {
  const taskId = `A.b_c:d-${world.newTaskId('inject')}.${'x'.repeat(100)}`;
  await world.start([{ name: 'a--b', capability: 'orders-db.read' }], { taskId, data: telling(text) });
  const { data } = await world.agent().secret(taskId, 'a--b', { waitSeconds: 20 });
  expect(data['username']).toMatch(/^token-g[a-z2-7]{20}-[A-Za-z0-9]{1,32}$/);
  const session = world.login(data);
  expect(await session.run('', 'select 1 from orders limit 1')).toHaveLength(1);
  await world.end(taskId);
  const revoked = await world.event(taskId, 'credential.revoked');
  expect(revoked.data['proof'].target).toBe('postgres: 0 login roles, 0 open sessions');
  await session.close();
  expect(await world.isRefused(data)).toBe(true);
  expect(await ledger.run('', 'select 1 from pg_roles where rolname = $1', [data['username']])).toEqual([]);
});

test('[bad 72] the same in an end’s reason, a selector of the kill switch and a query changes nothing', async () => {
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  for (const text of SQL) {
    const kill = { selector: { initiator: text }, reason: text, dryRun: false };
    expect(await world.operate('/v1/revocations', { method: 'POST', body: JSON.stringify(kill) })).toMatchObject({ body: { count: 0 } });
    expect((await world.operate(`/v1/grants?agent=${encodeURIComponent(text)}`)).body.grants).toEqual([]);
  }
  expect((await world.agent().task(taskId)).state).toBe('granted');
  await world.send('dev.mayfly.task.ended.v1', taskId, { data: { taskId, outcome: 'failed', reason: SQL.join('\n') } });
  await world.event(taskId, 'grant.closed');
});
