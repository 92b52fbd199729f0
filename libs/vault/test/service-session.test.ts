import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { VaultClient } from '../src/client.js';
import { ServiceSession } from '../src/service-session.js';
import { stubServer, type StubServer } from './stub-server.js';

let server: StubServer;
let folder: string;
let jwtFile: string;
/** Tokens that the server still knows. */
let known: Set<string>;
let clock: ManualClock;
let session: ServiceSession;

const call = { method: 'POST', path: 'sys/leases/lookup', body: {}, idempotent: true } as const;
const logins = () => server.asked.filter(({ path }) => path === '/v1/auth/jwt/login');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-session-'));
  jwtFile = join(folder, 'svid.jwt');
  writeFileSync(jwtFile, 'first\n');
  known = new Set();
  clock = new ManualClock();
  server = await stubServer(({ path, headers, body }, count) => {
    if (path === '/v1/auth/jwt/login') {
      if (body.jwt === 'refused') return { status: 400, body: { errors: ['no known key'] } };
      known.add(`token-${count}`);
      return { status: 200, body: { auth: { client_token: `token-${count}`, lease_duration: 1200 } } };
    }
    return known.has(String(headers['x-vault-token']))
      ? { status: 200, body: { data: {} } }
      : { status: 403, body: { errors: ['permission denied'] } };
  });
  session = new ServiceSession(new VaultClient(server.address), { jwtFile, role: 'mayfly-revoker' }, clock);
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe('a service’s session', () => {
  it('logs in once for all who wait', async () => {
    await Promise.all(Array.from({ length: 20 }, () => session.call(call)));
    expect(logins()).toHaveLength(1);
    expect(logins()[0]!.body).toEqual({ role: 'mayfly-revoker', jwt: 'first' });
  });

  it('logs in again, with the identity as it is then, before its token runs out', async () => {
    await session.call(call);
    writeFileSync(jwtFile, 'second');
    clock.advance(799_000);
    await session.call(call);
    expect(logins()).toHaveLength(1);
    clock.advance(2_000);
    await session.call(call);
    expect(logins().map(({ body }) => body.jwt)).toEqual(['first', 'second']);
  });

  it('logs in once more when Vault forgot the token', async () => {
    await session.call(call);
    known.clear();
    clock.advance(60_000);
    await Promise.all([session.call(call), session.call(call), session.call(call)]);
    expect(logins()).toHaveLength(2);
  });

  it('does not log in again and again for a call that it may not do', async () => {
    await session.call(call);
    known.clear();
    await expect(session.call(call)).rejects.toMatchObject({ code: 'vault-refused', reason: 'permission-denied' });
    expect(logins()).toHaveLength(1);
  });

  it('says that Vault is unavailable when it is not let in, and tries anew next time', async () => {
    writeFileSync(jwtFile, 'refused');
    await expect(session.call(call)).rejects.toMatchObject({ code: 'vault-unavailable' });
    writeFileSync(jwtFile, 'good');
    await session.call(call);
    rmSync(jwtFile);
    const other = new ServiceSession(new VaultClient(server.address), { jwtFile, role: 'x' }, clock);
    await expect(other.call(call)).rejects.toMatchObject({ code: 'vault-unavailable', message: expect.stringContaining('identity') });
    writeFileSync(jwtFile, 'x');
  });
});
