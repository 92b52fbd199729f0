import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newGrantId } from '@mayfly/domain';
import { openDatabase, type Database } from '@mayfly/postgres';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until, World } from '../../world/world.js';

let world: World;
let target: Database;
beforeAll(async () => {
  world = await World.open();
  // As the secrets engine would make it, and then forget it.
  const { orders_admin: password } = JSON.parse(readFileSync(join(world.dev.home, 'keys', 'database-roles.json'), 'utf8')) as Record<
    string,
    string
  >;
  const { host, port, database } = world.dev.orders;
  target = openDatabase({ url: `postgres://orders_admin:${password}@${host}:${port}/${database}`, applicationName: 'forgetful' });
}, 60_000);
afterAll(async () => {
  await target?.close();
  await world?.close();
});

test('a database user that no intent explains is found at the target and ended, open session included; known ones are left alone', async () => {
  const name = `token-${newGrantId()}-forgot01`;
  await target.run('', `create role "${name}" login password 'forgotten'`);
  const secret = { ...world.dev.orders, username: name, password: 'forgotten' };
  const session = world.login(secret);
  await session.run('', 'select 1');
  const taskId = await world.start('orders-db.read');
  const known = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });

  const roles = () =>
    target.run<{ name: string }>('', 'select rolname as name from pg_roles where rolname = any($1)', [
      [name, String(known.data['username'])],
    ]);
  await until('the orphan is gone', async () => ((await roles()).some((role) => role.name === name) ? undefined : true), 110);
  await expect(session.run('', 'select 1')).rejects.toBeDefined();
  await session.close();
  expect(await world.isRefused(secret)).toBe(true);
  expect(await world.isRefused(known.data)).toBe(false);
  const ghosts = () =>
    target.run<{ count: number }>(
      '',
      `select count(*)::int as count from pg_stat_activity where backend_type = 'client backend' and usesysid is not null and usename is null`,
    );
  await until('no session is without its user', async () => ((await ghosts())[0]?.count === 0 ? true : undefined), 30);
  // It is written once the user is gone, and chained a moment later.
  await until('the evidence says so', async () => {
    const { body } = await world.operate('/v1/checkpoint');
    const records = (await world.operate(`/v1/evidence?from=${Math.max(0, body.size - 900)}&limit=1000`)).body.records as {
      kind: string;
      data: { principal?: string };
    }[];
    return records.some(({ kind, data }) => kind === 'dev.mayfly.evidence.orphan-ended.v1' && data.principal === name) || undefined;
  });
  await world.end(taskId);
}, 150_000);
