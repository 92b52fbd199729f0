import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { newGrantId, type Capability, type GrantId } from '@mayfly/domain';
import { openDatabase, type Database } from '@mayfly/postgres';
import { PostgresProbe } from '@mayfly/targets';
import { startServer, until, type Server } from '../../postgres/test/server.js';

const connection = { host: '127.0.0.1', port: 5432, database: 'orders' };
const capability = (target?: string): Capability => ({
  name: 'orders-db.read',
  engine: 'database',
  shape: 'revocable',
  mint: 'on-start',
  mount: 'database',
  role: 'orders-read',
  access: 'read',
  onVaultDrift: 'alarm',
  vaultPolicy: 'cap-orders-db.read',
  dataClass: 'internal',
  maxTtlSeconds: 60,
  maxFetches: 1,
  probe: true,
  ...(target !== undefined && { target }),
});

let server: Server;
let admin: Database;
let probe: PostgresProbe;
beforeAll(async () => {
  server = await startServer();
  admin = openDatabase({ url: server.url, applicationName: 'admin' });
  // What the probe is in a deployment: somebody who may look, and nothing else.
  await admin.run('', `create role probe login password 'probe'`);
  const probeUrl = urlFor('probe', 'probe');
  probe = new PostgresProbe({
    orders: { kind: 'postgres', connection, probeUrl },
    away: { kind: 'postgres', connection, probeUrl: 'postgres://probe:hunter2@127.0.0.1:1/orders' },
    blind: { kind: 'postgres', connection },
  });
}, 60_000);
afterAll(async () => {
  await probe?.close();
  await admin?.close();
  await server?.stop();
});

const urlFor = (user: string, password: string): string => server.url.replace(/\/\/.*@/, `//${user}:${password}@`);
const ask = (principal: string | undefined, grantId: GrantId, target: string | undefined = 'orders') =>
  probe.probe({ capability: capability(target), principal, grantId });

let users: string[] = [];
/** A user as the secrets engine makes it, with its grant's id in the name. */
async function createUser(grantId: GrantId): Promise<string> {
  const user = `token-${grantId}-x${users.length}`;
  await admin.run('', `create role "${user}" login password 'secret'`);
  users.push(user);
  return user;
}
afterEach(async () => {
  for (const user of users) await admin.run('', `drop role if exists "${user}"`);
  users = [];
});

describe('a database user', () => {
  test('that may log in is alive', async () => {
    const grantId = newGrantId();
    const user = await createUser(grantId);
    expect(await ask(user, grantId)).toEqual({ dead: false, checked: 'postgres: 1 login roles, 0 open sessions' });
  });

  test('that was dropped is dead', async () => {
    const grantId = newGrantId();
    const user = await createUser(grantId);
    await admin.run('', `drop role "${user}"`);
    expect(await ask(user, grantId)).toEqual({ dead: true, checked: 'postgres: 0 login roles, 0 open sessions' });
  });

  test('that may not log in any more, but has a session, is alive until the session ends', async () => {
    const grantId = newGrantId();
    const user = await createUser(grantId);
    const session = openDatabase({ url: urlFor(user, 'secret'), applicationName: 'agent', maxConnections: 1 });
    await session.ping();
    await admin.run('', `alter role "${user}" nologin`);
    expect(await ask(user, grantId)).toEqual({ dead: false, checked: 'postgres: 0 login roles, 1 open sessions' });
    await session.close();
    await until(async () => (await ask(user, grantId)).dead);
  });

  test('of another grant does not matter', async () => {
    await createUser(newGrantId());
    expect(await ask(undefined, newGrantId())).toMatchObject({ dead: true });
  });
});

describe('a principal that nobody lived to write down', () => {
  test('is found by its grant’s id, however many there are', async () => {
    const grantId = newGrantId();
    const [one, other] = [await createUser(grantId), await createUser(grantId)];
    expect(await ask(undefined, grantId)).toEqual({ dead: false, checked: 'postgres: 2 login roles, 0 open sessions' });
    await admin.run('', `drop role "${one}"`);
    expect(await ask(undefined, grantId)).toMatchObject({ dead: false });
    await admin.run('', `drop role "${other}"`);
    expect(await ask(undefined, grantId)).toMatchObject({ dead: true });
  });
});

test('a name is a name, not a pattern', async () => {
  const grantId = newGrantId();
  await createUser(grantId);
  for (const pattern of ['%', 'token-%', `${users[0]!.slice(0, -1)}_`]) expect(await ask(pattern, grantId)).toMatchObject({ dead: true });
});

describe('no answer is no proof', () => {
  test.each([
    ['the target is away', 'away'],
    ['there is no login to ask with', 'blind'],
    ['nobody knows the target', 'unheard-of'],
    ['the capability names no target', undefined],
    ['its name is one of every object', 'constructor'],
  ])('when %s', async (_, target) => {
    const refused = probe.probe({ capability: capability(target), principal: 'x', grantId: newGrantId() });
    await expect(refused).rejects.toMatchObject({ code: 'target-unavailable', retriable: true });
    await expect(refused).rejects.not.toThrow('hunter2');
  });
});
