import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose';
import { servicePublicKeyFile, sign } from '../keys.mjs';
import { layout } from '../layout.mjs';
import { start } from '../servers/identity.mjs';
import { SERVICES } from '../services.mjs';

describe('the dev profile’s identity provider', () => {
  let dirs;
  let identity;

  beforeAll(async () => {
    dirs = layout(mkdtempSync(join(tmpdir(), 'mayfly-identity-')));
    identity = await start({ home: dirs.home });
  });

  afterAll(async () => {
    await identity?.stop();
    rmSync(dirs.home, { recursive: true, force: true });
  });

  const get = async (path) => (await fetch(`${identity.url}${path}`)).json();
  const login = (form) => fetch(`${identity.url}/token`, { method: 'POST', body: new URLSearchParams(form) });

  test('each service has an SVID for Vault that its owner alone can read', async () => {
    const key = await importSPKI(readFileSync(servicePublicKeyFile(dirs.keys), 'utf8'), 'ES256');
    for (const service of [...SERVICES, 'provisioner']) {
      const file = join(dirs.svid, `${service}.jwt`);
      const { payload } = await jwtVerify(readFileSync(file, 'utf8'), key, { audience: 'vault' });
      expect(payload.sub).toBe(`spiffe://example.org/mayfly/${service}`);
      expect(payload.exp - payload.iat).toBe(3600);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  test('the bundle holds the agents’ public key only, as a SPIFFE bundle', async () => {
    const { keys, ...rest } = await get('/spiffe/bundle');
    expect(rest).toEqual({ spiffe_sequence: expect.any(Number), spiffe_refresh_hint: expect.any(Number) });
    expect(keys).toEqual([
      { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String), kid: expect.any(String), alg: 'ES256', use: 'jwt-svid' },
    ]);
    const agents = await sign({ keys: dirs.keys, name: 'agents', claims: {}, seconds: 60 });
    expect(decodeProtectedHeader(agents).kid).toBe(keys[0].kid);
  });

  test('an agent’s key is not the key that Vault trusts', async () => {
    const key = await importSPKI(readFileSync(servicePublicKeyFile(dirs.keys), 'utf8'), 'ES256');
    const forged = await sign({
      keys: dirs.keys,
      name: 'agents',
      claims: { sub: 'spiffe://example.org/mayfly/issuer', aud: 'vault' },
      seconds: 60,
    });
    await expect(jwtVerify(forged, key)).rejects.toThrow('signature verification failed');
  });

  test('an operator’s token names its roles and is verified by the published keys', async () => {
    const answer = await login({ grant_type: 'password', username: 'approver1', password: 'approver1' });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { access_token: token } = await answer.json();
    const { issuer } = await get('/.well-known/openid-configuration');
    const { payload } = await jwtVerify(token, createLocalJWKSet(await get('/jwks')), { issuer, audience: 'mayfly-console' });
    expect(payload).toMatchObject({ sub: 'approver1', preferred_username: 'approver1', roles: ['viewer', 'approver'] });
  });

  test.each([
    ['a wrong password', { grant_type: 'password', username: 'admin', password: 'Admin' }, 'invalid_grant'],
    ['an unknown name', { grant_type: 'password', username: 'root', password: 'root' }, 'invalid_grant'],
    ['a name that every object has', { grant_type: 'password', username: 'constructor', password: 'constructor' }, 'invalid_grant'],
    ['no name', { grant_type: 'password' }, 'invalid_grant'],
    ['another grant', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
  ])('%s gets no token', async (_, form, error) => {
    const answer = await login(form);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error });
  });
});
