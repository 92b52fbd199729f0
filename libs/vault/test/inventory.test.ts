/** What the walk of Vault's tokens is told of an accessor. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { newGrantId } from '@mayfly/domain';
import { vaultForReconciler } from '../src/index.js';
import { stubServer, type Reply, type StubServer } from './stub-server.js';

let server: StubServer;
let folder: string;
/** What a look-up is answered, by accessor; of any other Vault says that it does not know it. */
let known: Record<string, Reply>;
let unknown: Reply;

const REFUSED: Reply = { status: 403, body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] } };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-inventory-'));
  writeFileSync(join(folder, 'jwt'), 'jwt');
  known = {};
  unknown = { status: 403, body: { errors: ['invalid accessor'] } };
  server = await stubServer(({ path, body }) =>
    path === '/v1/auth/jwt/login'
      ? { status: 200, body: { auth: { client_token: 'service', lease_duration: 1200 } } }
      : (known[String(body?.['accessor'])] ?? unknown),
  );
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const grantOf = (accessor: string) =>
  vaultForReconciler({ address: server.address, jwtFile: join(folder, 'jwt'), role: 'mayfly-reconciler' }).grantOfToken(accessor);

it('says whose token it is, and that another one is nobody’s', async () => {
  const grantId = newGrantId();
  known = { ours: { status: 200, body: { data: { meta: { grantId } } } }, theirs: { status: 200, body: { data: { meta: null } } } };
  expect(await grantOf('ours')).toBe(grantId);
  expect(await grantOf('theirs')).toBeUndefined();
  expect(await grantOf('gone')).toBeUndefined();
});

it('takes an accessor that a crash has left without its token for nobody’s, so that the others go on being looked at', async () => {
  known = { left: REFUSED };
  expect(await grantOf('left')).toBeUndefined();
});

it('does not take a missing privilege for that', async () => {
  known = { any: REFUSED };
  unknown = REFUSED;
  await expect(grantOf('any')).rejects.toMatchObject({ code: 'inventory-refused' });
});

it('does not take a server that is in trouble for that', async () => {
  known = { any: REFUSED };
  unknown = { status: 503, body: { errors: ['Vault is sealed'] } };
  await expect(grantOf('any')).rejects.toMatchObject({ code: 'inventory-refused' });
});
