/** What counts as dead, and what is only a no. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { vaultForRevoker } from '../src/index.js';
import { stubServer, type Reply, type StubServer } from './stub-server.js';

let server: StubServer;
let folder: string;
/** What the stub answers to everything but a login. */
let reply: Reply;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-proof-'));
  writeFileSync(join(folder, 'jwt'), 'jwt');
  server = await stubServer(({ path }) =>
    path === '/v1/auth/jwt/login' ? { status: 200, body: { auth: { client_token: 'service', lease_duration: 1200 } } } : reply,
  );
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const vault = () => vaultForRevoker({ address: server.address, jwtFile: join(folder, 'jwt'), role: 'mayfly-revoker' });
const LOOKS = [
  ['lease', 'invalid lease', () => vault().isLeaseGone('database/creds/orders-read/1')],
  ['token', 'invalid accessor', () => vault().isTokenGone('accessor')],
] as const;

describe.each(LOOKS)('a %s', (_what, sentence, isGone) => {
  it.each([[[sentence]], [[`1 error occurred:\n\t* ${sentence}\n\n`]]])('is gone when Vault says so: %j', async (errors) => {
    reply = { status: 400, body: { errors } };
    expect(await isGone()).toBe(true);
  });

  it.each<[string, Reply]>([
    ['a 400 for another reason', { status: 400, body: { errors: ['missing lease_id in request'] } }],
    ['a 400 that says more', { status: 400, body: { errors: [`${sentence} namespace`] } }],
    ['a 400 with a second reason', { status: 400, body: { errors: [sentence, 'missing client token'] } }],
    ['the sentence in other letters', { status: 400, body: { errors: [sentence.toUpperCase()] } }],
    ['the sentence outside of the errors', { status: 400, body: { data: sentence, errors: [] } }],
    ['a 400 without a word', { status: 400 }],
    ['a page of a proxy with the sentence', { status: 400, body: `<html>${sentence}</html>` }],
    ['a 403', { status: 403, body: { errors: ['permission denied'] } }],
    ['a 404', { status: 404, body: { errors: [sentence] } }],
    ['a 200 with the sentence as an error', { status: 200, body: { errors: [sentence] } }],
    ['a 204', { status: 204 }],
  ])('[bad 70] is not gone by %s', async (_, answer) => {
    reply = answer;
    expect(await isGone()).toBe(false);
  });

  it.each<[string, Reply]>([
    ['a 500', { status: 500, body: { errors: [sentence] } }],
    ['a 503', { status: 503, body: { errors: [sentence] } }],
    ['a 429', { status: 429, body: { errors: [sentence] } }],
    ['a broken connection', 'break'],
    ['[bad 73] a redirect', { status: 307, location: 'http://127.0.0.1:1/v1/sys/leases/lookup', body: { errors: [sentence] } }],
  ])('[bad 70] nobody knows after %s', async (_, answer) => {
    reply = answer;
    await expect(isGone()).rejects.toMatchObject({ code: 'vault-unavailable' });
  });
});

describe('a revocation', () => {
  it('[bad 71] of what Vault does not know is no error, and names nothing but what was asked', async () => {
    reply = { status: 400, body: { errors: ['invalid lease'] } };
    await vault().revokeLease('database/creds/orders-read/1');
    const calls = server.asked.filter(({ path }) => path !== '/v1/auth/jwt/login');
    expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/sys/leases/revoke', { lease_id: 'database/creds/orders-read/1', sync: true }],
    ]);
  });

  it('of a token that was interrupted leaves an accessor under which no token is accepted; nothing else says so', async () => {
    reply = { status: 400, body: { errors: ['token not found'] } };
    expect(await vault().revokeToken('accessor')).toBe('unusable');
    reply = { status: 400, body: { errors: ['no token not found'] } };
    await expect(vault().revokeToken('accessor')).rejects.toMatchObject({ code: 'revoke-failed' });
    reply = { status: 204 };
    expect(await vault().revokeToken('accessor')).toBe('asked');
  });

  it('[bad 71] that Vault forbids has not happened', async () => {
    reply = { status: 403, body: { errors: ['permission denied'] } };
    await expect(vault().revokeLease('auth/jwt/login/somebody')).rejects.toMatchObject({ code: 'revoke-failed', retriable: true });
    await expect(vault().revokeToken('accessor')).rejects.toMatchObject({ code: 'revoke-failed', retriable: true });
  });
});
