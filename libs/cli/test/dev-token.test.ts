import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { startWorld } from './world.js';

const AGENT = 'spiffe://example.org/agent/etl';
let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => (world = await startWorld({})));
afterAll(() => world.close());

const token = async (...args: string[]) => {
  const { code, out } = await world.run(['dev', 'token', ...args]);
  expect(code).toBe(0);
  return out.trim();
};

describe('dev token', () => {
  it("is a JWT-SVID of the agent by the trust domain's key, for an hour", async () => {
    const jwt = await token('--agent', AGENT);
    const { payload, protectedHeader } = await jwtVerify(jwt, world.publicKey, { audience: 'mayfly', subject: AGENT });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'k1', typ: 'JWT' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
  });

  it("is bound to the agent's own key when that is wished", async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const file = join(world.home, 'own.pem');
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const jkt = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
    expect(decodeJwt(await token('--agent', AGENT, '--dpop', file))['cnf']).toEqual({ jkt });
  });

  it('makes wrong ones: another subject, another audience, one that is over', async () => {
    const { sub, aud, exp, iat } = decodeJwt(await token('--agent', AGENT, '--sub', 'eve', '--aud', 'other', '--ttl', '-5m'));
    expect([sub, aud, (exp ?? 0) - (iat ?? 0)]).toEqual(['eve', 'other', -300]);
  });

  it.each(['ec', 'rsa'] as const)('signs with another key, PEM %s', async (kind) => {
    const options = { modulusLength: 2048, namedCurve: 'P-256' };
    const { privateKey, publicKey } = kind === 'ec' ? generateKeyPairSync('ec', options) : generateKeyPairSync('rsa', options);
    const file = join(world.home, `${kind}.pem`);
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const jwt = await token('--agent', AGENT, '--key', `${kind}.pem`);
    expect(decodeProtectedHeader(jwt).alg).toBe(kind === 'ec' ? 'ES256' : 'RS256');
    await expect(jwtVerify(jwt, publicKey)).resolves.toBeDefined();
    await expect(jwtVerify(jwt, world.publicKey)).rejects.toThrow();
  });

  it('says so when the key file is none', async () => {
    const { code, err } = await world.run(['dev', 'token', '--agent', AGENT, '--key', 'dev.json']);
    expect([code, err]).toEqual([1, expect.stringContaining('is no private key')]);
  });
});
