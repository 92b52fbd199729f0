/** What looking around in Vault is told, of accessors and by what is not Vault. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { newGrantId } from '@mayfly/domain';
import { vaultForReconciler } from '../src/index.js';
import { CATALOGUE } from './catalogue.js';
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

const lister = () => vaultForReconciler({ address: server.address, jwtFile: join(folder, 'jwt'), role: 'mayfly-reconciler' });
const grantOf = (accessor: string) => lister().grantOfToken(accessor);
/** As Vault says it. */
const found = (meta: object | null): Reply => ({ status: 200, body: { request_id: 'r', data: { meta } } });

it('says whose token it is, and that another one is nobody’s', async () => {
  const grantId = newGrantId();
  known = { ours: found({ grantId }), theirs: found(null) };
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

it('takes a page of whatever stands in Vault’s place for no answer: not for an empty list, nor for what is configured', async () => {
  unknown = { status: 200, body: { hello: 'proxy', data: { keys: [], policy: 'p', username: 'u' } } };
  const unavailable = { code: 'vault-unavailable' };
  await expect(grantOf('any')).rejects.toMatchObject(unavailable);
  await expect(lister().tokens()).rejects.toMatchObject(unavailable);
  await expect(lister().leases(CATALOGUE.read)).rejects.toMatchObject(unavailable);
  await expect(lister().digest(CATALOGUE.read)).rejects.toMatchObject(unavailable);
});
