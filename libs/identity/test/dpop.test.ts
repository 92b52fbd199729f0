import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InvalidToken, ManualClock, StoreUnavailable } from '@mayfly/domain';
import { createOperatorVerifier, createWorkloadVerifier, readTrust, RefusedToken } from '@mayfly/identity';
import type { CheckedProof, ProofRegister, TokenFault, WorkloadVerifier } from '@mayfly/identity';
import { exportJWK } from 'jose';
import { bundle, ETL, jwks, newSigner, NOW, SECONDS, sign, type Signer } from './issuer.js';
import { digestOf, prove, publicOf, HTU } from './proofs.js';

const ISSUER = 'https://issuer.example.com';
let folder: string;
let issuer: Signer;
let holder: Signer;
let thief: Signer;
let clock: ManualClock;
let verifier: WorkloadVerifier;
let noted: CheckedProof[];
let register: ProofRegister;
let token: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-dpop-'));
  [issuer, holder, thief] = await Promise.all([newSigner('ES256'), newSigner('ES256'), newSigner('ES256')]);
  await writeFile(join(folder, 'bundle'), JSON.stringify(bundle(issuer)));
  await writeFile(join(folder, 'jwks'), JSON.stringify(jwks(issuer)));
});
afterAll(() => rm(folder, { recursive: true }));

const trust = () =>
  readTrust(
    JSON.stringify({
      trustDomains: [{ name: 'example.org', bundle: { file: join(folder, 'bundle') } }],
      workloadIssuers: [{ issuer: ISSUER, jwks: { file: join(folder, 'jwks') } }],
      operators: { issuer: ISSUER, jwks: { file: join(folder, 'jwks') }, audience: 'mayfly-console' },
    }),
    'dev',
  );

beforeEach(async () => {
  clock = new ManualClock(NOW);
  noted = [];
  register = {
    firstUse: async (proof) => {
      const seen = noted.some(({ thumbprint, proofId }) => thumbprint === proof.thumbprint && proofId === proof.proofId);
      noted.push(proof);
      return Promise.resolve(!seen);
    },
  };
  verifier = createWorkloadVerifier(trust(), { clock, proofs: register });
  token = await bound();
});

/** A token bound to the holder's key; a signer's key id is its thumbprint. */
const bound = (claims: object = {}): Promise<string> => sign(issuer, { cnf: { jkt: holder.kid }, ...claims });
const request = (proof: string, method = 'GET', url = HTU) => ({ proof, method, url });
const faultOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'accepted',
    (error: unknown) => {
      expect(error).toBeInstanceOf(RefusedToken);
      expect(error).toMatchObject({ status: 401, message: new InvalidToken().message });
      return (error as RefusedToken).cause;
    },
  );

test('a token and a proof by the key that it is bound to prove a workload, once', async () => {
  const proof = await prove(holder, token);
  expect(await verifier.verify(token, request(proof))).toMatchObject({ kind: 'spiffe', id: ETL });
  expect(noted).toEqual([{ thumbprint: holder.kid, proofId: expect.any(String), oldFrom: new Date((SECONDS + 90) * 1000) }]);
  expect(await faultOf(verifier.verify(token, request(proof)))).toBe('replayed');
});

test('an access token of an OIDC issuer may be bound too, and its key may be RSA', async () => {
  const rsa = await newSigner('RS256');
  const access = await sign(issuer, { iss: ISSUER, sub: 'etl', cnf: { jkt: rsa.kid } }, { typ: 'at+jwt' });
  expect(await verifier.verify(access, request(await prove(rsa, access)))).toMatchObject({ id: `${ISSUER}#etl` });
});

test.each(['ES384', 'ES512', 'PS384'])('a proof may be signed by %s', async (alg) => {
  const other = await newSigner(alg);
  const its = await bound({ cnf: { jkt: other.kid } });
  expect(await faultOf(verifier.verify(its, request(await prove(other, its))))).toBe('accepted');
});

test.each<[string, string, string]>([
  ['the default port', 'https://mayfly.example.org:443/v1/tasks/t-1', HTU],
  ['scheme and host in capitals', 'HTTPS://Mayfly.Example.org/v1/tasks/t-1', HTU],
  ['an octet spelt out', 'https://mayfly.example.org/v1/tasks/%74-1', HTU],
  ['an octet in small letters', 'https://mayfly.example.org/v1/tasks/a%3ab', 'https://mayfly.example.org/v1/tasks/a%3Ab'],
])('the same address may be spelt with %s', async (_, htu, url) => {
  expect(await faultOf(verifier.verify(token, request(await prove(holder, token, { htu }), 'GET', url)))).toBe('accepted');
});

test('clocks may be apart as for tokens', async () => {
  for (const iat of [SECONDS - 89, SECONDS + 30])
    expect(await faultOf(verifier.verify(token, request(await prove(holder, token, { iat }))))).toBe('accepted');
});

/** Row 44 of the bad-input matrix; each is the right proof but for one thing. */
const BAD: readonly (readonly [string, () => Promise<string>, TokenFault])[] = [
  ['another method', () => prove(holder, token, { htm: 'POST' }), 'other-request'],
  ['the method in small letters', () => prove(holder, token, { htm: 'get' }), 'other-request'],
  ['another path', () => prove(holder, token, { htu: `${HTU}/secrets/orders` }), 'other-request'],
  ['another host', () => prove(holder, token, { htu: HTU.replace('mayfly', 'evil') }), 'other-request'],
  ['another port', () => prove(holder, token, { htu: HTU.replace('.org', '.org:8443') }), 'other-request'],
  ['another scheme', () => prove(holder, token, { htu: HTU.replace('https', 'http') }), 'other-request'],
  ['a path in other letters', () => prove(holder, token, { htu: HTU.replace('tasks', 'Tasks') }), 'other-request'],
  ['a query', () => prove(holder, token, { htu: `${HTU}?wait=1s` }), 'other-request'],
  ['a user in the address', () => prove(holder, token, { htu: HTU.replace('//', '//a@') }), 'other-request'],
  ['an address that is none', () => prove(holder, token, { htu: '/v1/tasks/t-1' }), 'other-request'],
  ['another token', () => prove(holder, token, { ath: digestOf('other') }), 'other-request'],
  ['no token', () => prove(holder, token, { ath: undefined }), 'malformed'],
  ['no id', () => prove(holder, token, { jti: undefined }), 'malformed'],
  ['an id of 257 characters', () => prove(holder, token, { jti: 'j'.repeat(257) }), 'malformed'],
  ['no time', () => prove(holder, token, { iat: undefined }), 'malformed'],
  ['a time that is text', () => prove(holder, token, { iat: String(SECONDS) }), 'malformed'],
  ['a time 90 seconds ago', () => prove(holder, token, { iat: SECONDS - 90 }), 'expired'],
  ['a time in 31 seconds', () => prove(holder, token, { iat: SECONDS + 31 }), 'not-yet-valid'],
  ["a thief's key", () => prove(thief, token), 'other-key'],
  ["the holder's key, signed by a thief", () => prove(thief, token, {}, { jwk: publicOf(holder) }), 'bad-signature'],
  ['no key', () => prove(holder, token, {}, { jwk: undefined }), 'malformed'],
  ['a key that is text', () => prove(holder, token, {}, { jwk: 'key' }), 'malformed'],
  ['a key that is padded', () => prove(holder, token, {}, { jwk: { ...publicOf(holder), x: `${holder.jwk.x}=` } }), 'malformed'],
  ['a key with something in front', () => prove(holder, token, {}, { jwk: { ...publicOf(holder), x: `=${holder.jwk.x}` } }), 'malformed'],
  ['a symmetric key', () => prove(holder, token, {}, { jwk: { kty: 'oct', k: 'AAAA' } }), 'malformed'],
  ['a private key', async () => prove(holder, token, {}, { jwk: await exportJWK(holder.privateKey) }), 'malformed'],
  ['a key by address', () => prove(holder, token, {}, { jku: 'http://127.0.0.1:1/' }), 'unsupported-header'],
  ['a certificate', () => prove(holder, token, {}, { x5c: ['AA'] }), 'unsupported-header'],
  ['an algorithm that is not the key’s', () => forged({ alg: 'RS256' }), 'bad-signature'],
  ['an algorithm with a shared secret', () => forged({ alg: 'HS256' }), 'unsupported-algorithm'],
  ['no algorithm', () => forged({ alg: 'none' }), 'unsupported-algorithm'],
  ['no type', () => prove(holder, token, {}, { typ: undefined }), 'wrong-type'],
  ['the type of a token', () => prove(holder, token, {}, { typ: 'JWT' }), 'wrong-type'],
  ['5 kB', () => prove(holder, token, { padding: 'a'.repeat(5_000) }), 'too-large'],
  ['the token itself', () => Promise.resolve(token), 'wrong-type'],
];
const forged = async (header: object): Promise<string> => {
  const [, payload, signature] = (await prove(holder, token)).split('.');
  const text = JSON.stringify({ typ: 'dpop+jwt', jwk: publicOf(holder), ...header });
  return `${Buffer.from(text).toString('base64url')}.${payload}.${signature}`;
};

describe('[bad 44] a proof is refused, and not noted, with', () => {
  test.each(BAD)('%s', async (_, proof, fault) => {
    expect(await faultOf(verifier.verify(token, request(await proof())))).toBe(fault);
    expect(noted).toEqual([]);
  });
});

describe('[bad 44] a bound token', () => {
  test('is no bearer token', async () => {
    expect(await faultOf(verifier.verify(token))).toBe('no-proof');
  });
  test.each<[string, unknown]>([
    ['to a certificate', { 'x5t#S256': 'AA' }],
    ['to nothing', {}],
    ['to what is not an object', 'key'],
    ['to null', null],
  ])('%s, which we cannot check, is refused with and without a proof', async (_, cnf) => {
    const other = await bound({ cnf });
    expect(await faultOf(verifier.verify(other))).toBe('no-proof');
    expect(await faultOf(verifier.verify(other, request(await prove(holder, other))))).toBe('not-bound');
  });
  test('to a key and a certificate needs both, so it is refused', async () => {
    const both = await bound({ cnf: { jkt: holder.kid, 'x5t#S256': 'AA' } });
    expect(await faultOf(verifier.verify(both, request(await prove(holder, both))))).toBe('not-bound');
  });
  test('is no operator’s token', async () => {
    const operators = createOperatorVerifier(trust(), { clock });
    const person = { iss: ISSUER, sub: 'admin', aud: 'mayfly-console' };
    expect(await faultOf(operators.verify(await sign(issuer, person)))).toBe('accepted');
    expect(await faultOf(operators.verify(await bound(person)))).toBe('no-proof');
  });
});

test('a proof does not make a token good that is bound to no key', async () => {
  const free = await sign(issuer);
  expect(await faultOf(verifier.verify(free, request(await prove(holder, free))))).toBe('not-bound');
});

test('a proof does not make a token good that is bad', async () => {
  const over = await bound({ exp: SECONDS - 60 });
  expect(await faultOf(verifier.verify(over, request(await prove(holder, over))))).toBe('expired');
});

test('where nobody remembers proofs, none is taken; while they cannot be remembered, nobody is let in', async () => {
  const forgetful = createWorkloadVerifier(trust(), { clock });
  expect(await faultOf(forgetful.verify(token, request(await prove(holder, token))))).toBe('not-bound');
  register.firstUse = () => Promise.reject(new StoreUnavailable());
  await expect(verifier.verify(token, request(await prove(holder, token)))).rejects.toThrow(StoreUnavailable);
});
