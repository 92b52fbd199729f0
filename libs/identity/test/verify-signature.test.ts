import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createLocalJWKSet, exportJWK, generateKeyPair } from 'jose';
import type { KeyFinder, KeySet } from '../src/key-set.js';
import { verifySignature } from '../src/verify-signature.js';
import { newSigner, sign, type Signer } from './issuer.js';

let first: Signer;
let second: Signer;
/** How often a key was looked for. */
let looked: number;
beforeAll(async () => {
  [first, second] = await Promise.all([newSigner(), newSigner()]);
});
beforeEach(() => {
  looked = 0;
});

const finderOf = (...signers: Signer[]): KeyFinder => {
  const find = createLocalJWKSet({ keys: signers.map(({ jwk }) => jwk) });
  return Object.assign((...asked: Parameters<KeyFinder>) => ((looked += 1), find(...asked)), { jwks: find.jwks });
};
/** Keys that are found one after the other, whenever they are looked for again. */
const keySet = (...finders: (KeyFinder | undefined)[]): KeySet =>
  ({
    current: async () => finders[0],
    refetch: async () => finders.length > 1 && (finders.shift(), true),
  }) as KeySet;
const subjectOf = (bytes: Uint8Array): unknown => (JSON.parse(new TextDecoder().decode(bytes)) as { sub: unknown }).sub;
const causeOf = (token: string, keys: KeySet): Promise<unknown> =>
  verifySignature(token, keys).then(
    () => 'verified',
    (error: { cause?: unknown }) => error.cause ?? error,
  );

test('gives what was signed, and remembers each token whose signature it has verified', async () => {
  const keys = keySet(finderOf(first, second));
  const tokens = [await sign(first, { sub: 'a' }), await sign(second, { sub: 'b' }), await sign(first, { sub: 'c' })];
  for (let n = 0; n < 3; n += 1)
    for (const [at, token] of tokens.entries()) expect(subjectOf(await verifySignature(token, keys))).toBe('abc'[at]);
  expect(looked).toBe(3);
});

test('remembers nothing of keys that were replaced', async () => {
  const token = await sign(first);
  const before = finderOf(first);
  expect(await causeOf(token, keySet(before))).toBe('verified');
  expect(await causeOf(token, keySet(finderOf(second)))).toBe('unknown-key');
  expect(await causeOf(token, keySet(finderOf(first)))).toBe('verified');
  expect(looked).toBe(3);
});

test('remembers no refusal', async () => {
  const keys = keySet(finderOf(first));
  const forged = await sign({ ...second, kid: first.kid });
  expect([await causeOf(forged, keys), await causeOf(forged, keys)]).toEqual(['bad-signature', 'bad-signature']);
  expect(looked).toBe(2);
});

test('remembers what it has verified through a flood of tokens by made-up keys', async () => {
  const keys = keySet(finderOf(first));
  const token = await sign(first);
  const [, payload, signature] = token.split('.');
  const madeUp = (n: number): string =>
    `${Buffer.from(JSON.stringify({ alg: 'ES256', kid: `made-up-${n}` })).toString('base64url')}.${payload}.${signature}`;
  expect(await causeOf(token, keys)).toBe('verified');
  for (let n = 0; n < 10_001; n += 1) await verifySignature(madeUp(n), keys).catch(() => undefined);
  const before = looked;
  expect(await causeOf(token, keys)).toBe('verified');
  expect(looked).toBe(before);
});

test('tries all keys for a token that names none', async () => {
  const keys = keySet(finderOf(first, second));
  const nameless = (signer: Signer): Promise<string> => sign(signer, {}, { kid: undefined });
  expect(await causeOf(await nameless(first), keys)).toBe('verified');
  expect(await causeOf(await nameless(second), keys)).toBe('verified');
  expect(await causeOf(await nameless(await newSigner()), keys)).toBe('unknown-key');
});

test('looks for a new key once, and only where there is none of the token’s', async () => {
  const token = await sign(second);
  expect(await causeOf(token, keySet(finderOf(first), finderOf(first, second)))).toBe('verified');
  expect(await causeOf(token, keySet(finderOf(first), finderOf(first), finderOf(second)))).toBe('unknown-key');
  expect(await causeOf(token, keySet(finderOf(first)))).toBe('unknown-key');
  const forged = await sign({ ...second, kid: first.kid });
  expect(await causeOf(forged, keySet(finderOf(first), finderOf(second)))).toBe('bad-signature');
});

test('has no answer without keys, before and after it looked again', async () => {
  const token = await sign(second);
  expect(await causeOf(token, keySet(undefined, finderOf(second)))).toBe('keys-unavailable');
  expect(await causeOf(token, keySet(finderOf(first), undefined))).toBe('keys-unavailable');
});

test('takes no algorithm but those of tokens, even from a key that is known', async () => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const ed = { alg: 'EdDSA', kid: 'ed', privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'ed' } };
  expect(await causeOf(await sign(ed), keySet(finderOf(ed)))).toBe('bad-signature');
});
