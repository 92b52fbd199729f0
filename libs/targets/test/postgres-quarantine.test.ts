/** A user is ended at its target although its secrets engine does not exist. On a real server, with the rights of the worked example. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newGrantId } from '@mayfly/domain';
import { openDatabase, type Database } from '@mayfly/postgres';
import { PostgresProbe, quarantineAt, quarantinesOf } from '@mayfly/targets';
import { startServer, until, type Server } from '../../postgres/test/server.js';

let server: Server;
let root: Database;
let admin: Database;
const opened: Database[] = [];
const url = (user: string): string => server.url.replace(/\/\/.*@/, `//${encodeURIComponent(user)}:secret@`);
const target = () => ({
  orders: {
    kind: 'postgres' as const,
    connection: { host: '127.0.0.1', port: 5432, database: 'postgres' },
    probeUrl: url('mayfly_probe'),
    quarantine: { url: url('mayfly_quarantine'), admin: 'orders_admin' },
  },
});
let quarantines: ReturnType<typeof quarantinesOf>;
let probe: PostgresProbe;
beforeAll(async () => {
  server = await startServer();
  root = openDatabase({ url: server.url, applicationName: 'root' });
  await root.run('', readFileSync(new URL('../../../deploy/postgres/roles.sql', import.meta.url), 'utf8'));
  for (const role of ['orders_admin', 'mayfly_quarantine', 'mayfly_probe']) await root.run('', `alter role ${role} password 'secret'`);
  admin = openDatabase({ url: url('orders_admin'), applicationName: 'engine' });
  quarantines = quarantinesOf(target());
  probe = new PostgresProbe(target());
}, 60_000);
afterAll(async () => {
  await Promise.all([...quarantines, probe, root, admin, ...opened].map((one) => one.close()));
  await server?.stop();
});

/** A user as the secrets engine makes it, with an open session. */
async function user(grantId = newGrantId()) {
  const name = `token-${grantId}-x1`;
  await admin.run('', `create role "${name}" login password 'secret'`);
  const session = openDatabase({ url: url(name), applicationName: 'agent', maxConnections: 1 });
  opened.push(session);
  await session.ping();
  return { name, grantId, session };
}
const roles = async (name: string) => root.run('', 'select rolcanlogin from pg_roles where rolname = $1', [name]);
const dead = async ({ name, grantId }: { name: string; grantId: ReturnType<typeof newGrantId> }) =>
  (await probe.probe({ capability: { name: 'x', target: 'orders' } as never, principal: name, grantId })).dead;

describe('[bad 72] names that mean something to SQL', () => {
  const id = newGrantId();
  const hostile = [
    `token-${id}-x"; drop table canary; --`,
    `token-${id}-x'; drop table canary; --`,
    `token-${id}-$$; drop table canary; $$`,
    `token-${id}-x\\'; drop table canary; --`,
    `token-${id}-${'x'.repeat(64)}`,
    `token-${id.toUpperCase()}-x`,
    `TOKEN-${id}-x`,
    `token-${id}`,
    `token-${id}-`,
    `token-${id}-é`,
    `token-${id}-x\n`,
    '"',
    '',
  ];

  test.each(hostile)('%j is never ended: it is none of ours, and no statement is made of it', async (name) => {
    const before = await root.run('', 'select count(*) from pg_roles');
    await expect(quarantineAt(quarantines).quarantine('orders', name, true)).rejects.toThrow(TypeError);
    expect(await root.run('', 'select count(*) from pg_roles')).toEqual(before);
  });

  test('that stand at the target already are not even listed, and the walk goes on', async () => {
    await root.run('', 'create table canary ()');
    const planted = hostile.filter((name) => name !== '' && !name.startsWith(`token-${id}-xxx`));
    for (const name of planted) await root.run('', `create role "${name.replaceAll('"', '""')}" login`);
    const one = await user(id);
    expect(await quarantineAt(quarantines).principals('orders', id)).toEqual([one.name]);
    await quarantineAt(quarantines).quarantine('orders', one.name, true);
    expect(await roles(one.name)).toEqual([]);
    expect(await root.run('', `select 1 from pg_tables where tablename = 'canary'`)).toHaveLength(1);
    for (const name of planted) {
      expect(await roles(name)).toEqual([{ rolcanlogin: true }]);
      await root.run('', `drop role "${name.replaceAll('"', '""')}"`);
    }
  });
});

describe('quarantine', () => {
  test('refuses the next login and ends the open session; done again it changes nothing', async () => {
    const one = await user();
    const at = quarantineAt(quarantines);
    expect(await dead(one)).toBe(false);
    for (let again = 0; again < 2; again += 1) await at.quarantine('orders', one.name, false);
    await expect(one.session.ping()).rejects.toThrow(/not permitted to log in|terminat/);
    await expect(one.session.ping()).rejects.toThrow(/not permitted to log in/);
    expect(await roles(one.name)).toEqual([{ rolcanlogin: false }]);
    expect(await dead(one)).toBe(true);
  });

  test('removes what the secrets engine has forgotten, with all that it owns', async () => {
    const one = await user();
    await one.session.run('', 'select lo_create(0)');
    const at = quarantineAt(quarantines);
    for (let again = 0; again < 2; again += 1) await at.quarantine('orders', one.name, true);
    expect(await roles(one.name)).toEqual([]);
    expect(await dead(one)).toBe(true);
  });

  test('wins against a user that holds the lock on its own role', async () => {
    const one = await user();
    let held = false;
    const holding = one.session.transaction('hold', async (tx) => {
      await tx.run('', `alter role "${one.name}" password 'other'`);
      held = true;
      await tx.run('', 'select pg_sleep(30)');
    });
    holding.catch(() => undefined);
    await until(() => held);
    await quarantineAt(quarantines).quarantine('orders', one.name, false);
    await expect(holding).rejects.toThrow();
    expect(await dead(one)).toBe(true);
  });

  test('and the question whether it is dead see a login that was let in and holds itself up, and end it', async () => {
    const one = await user();
    const slow = openDatabase({ url: `${url(one.name)}?options=-c%20post_auth_delay%3D20`, applicationName: 'slow', maxConnections: 1 });
    opened.push(slow);
    const entering = slow.ping();
    entering.catch(() => undefined);
    const starting = () =>
      root.run('', `select from pg_stat_activity where state = 'starting' and wait_event_type is distinct from 'Client'`);
    await until(async () => (await starting()).length > 0);
    const at = quarantineAt(quarantines);
    // The way of the secrets engine: it cannot see such a login.
    await quarantines[0]!.bar(one.name);
    expect(await dead(one)).toBe(false);
    await at.quarantine('orders', one.name, true);
    await expect(entering).rejects.toThrow();
    expect(await dead(one)).toBe(true);
  });

  test('ends a session whose role is gone', async () => {
    const one = await user();
    await root.run('', `drop role "${one.name}"`);
    expect(await dead(one)).toBe(false);
    expect(await quarantines[0]!.endGhosts()).toBe(1);
    await expect(one.session.ping()).rejects.toThrow();
    expect(await dead(one)).toBe(true);
    expect(await quarantines[0]!.endGhosts()).toBe(0);
  });

  test('of one user leaves every other alone, of the same grant too', async () => {
    const one = await user();
    const twin = `token-${one.grantId}-x2`;
    await admin.run('', `create role "${twin}" login password 'secret'`);
    const at = quarantineAt(quarantines);
    expect(await at.principals('orders', one.grantId)).toEqual([one.name, twin]);
    await at.quarantine('orders', one.name, true);
    expect(await at.principals('orders', one.grantId)).toEqual([twin]);
    expect(await roles(twin)).toEqual([{ rolcanlogin: true }]);
  });

  test('touches nothing that does not carry a grant’s id', async () => {
    const at = quarantineAt(quarantines);
    for (const name of ['orders_admin', 'postgres', `token-x"; drop role orders_admin; --`, 'token-%-%']) {
      await expect(at.quarantine('orders', name, true)).rejects.toThrow();
    }
    expect(await roles('orders_admin')).toHaveLength(1);
  });

  test('of a target without it, or away, is an error and never a success', async () => {
    const away = quarantinesOf({ orders: { ...target().orders, quarantine: { url: 'postgres://x:hunter2@127.0.0.1:1/x', admin: 'a' } } });
    for (const at of [quarantineAt([]), quarantineAt(away)]) {
      const refused = at.quarantine('orders', `token-${newGrantId()}-x1`, false);
      await expect(refused).rejects.toMatchObject({ code: 'target-unavailable' });
      await expect(refused).rejects.not.toThrow('hunter2');
    }
    await Promise.all(away.map((one) => one.close()));
  });
});
