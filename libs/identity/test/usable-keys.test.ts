import { describe, expect, test } from '@jest/globals';
import type { RawKeys } from '../src/load-keys.js';
import { jwtSvidKeys, signingKeys, type KeyFilter } from '../src/usable-keys.js';

type Key = RawKeys['keys'][number];
const EC: Key = { kty: 'EC', kid: 'k', crv: 'P-256', x: 'x', y: 'y' };
const RSA: Key = { kty: 'RSA', kid: 'k', n: 'n', e: 'AQAB' };

describe.each<[string, KeyFilter, Key[]]>([
  ['of a bundle', jwtSvidKeys, [{ use: 'jwt-svid' } as object as Key]],
  ['of a JWK set', signingKeys, [{} as Key, { use: 'sig' } as object as Key]],
])('a key %s', (_, filter, uses) => {
  const counts = (key: object): boolean[] => uses.map((use) => filter([{ ...key, ...use }]).length === 1);
  const all = uses.map(() => true);
  const none = uses.map(() => false);

  test('counts when it is EC, or RSA with the usual exponent', () => {
    expect(counts(EC)).toEqual(all);
    expect(counts(RSA)).toEqual(all);
  });

  test.each<[string, object]>([
    ['private, EC', { ...EC, d: 'd' }],
    ['private, RSA', { ...RSA, d: 'd' }],
    ['RSA with the exponent 1', { ...RSA, e: 'AQ' }],
    ['RSA with the exponent 3', { ...RSA, e: 'Aw' }],
    ['RSA without an exponent', { ...RSA, e: undefined }],
    ['a shared secret', { kty: 'oct', kid: 'k', k: 'k' }],
    ['a shared secret with an exponent', { kty: 'oct', kid: 'k', k: 'k', e: 'AQAB' }],
    ['an Edwards key', { kty: 'OKP', kid: 'k', crv: 'Ed25519', x: 'x' }],
  ])('does not count when it is %s', (__, key) => {
    expect(counts(key)).toEqual(none);
  });
});

test('a key of a bundle is for JWT-SVIDs and has an id; jose is not told its use, which it does not know', () => {
  const svid = { ...EC, use: 'jwt-svid' };
  const others = ['x509-svid', 'sig', '', undefined].map((use) => ({ ...EC, use }));
  const nameless = [undefined, 1, null].map((kid) => ({ ...svid, kid }));
  expect(jwtSvidKeys([...others, ...nameless, svid])).toStrictEqual([EC]);
});

test('a key of a JWK set is for signatures or for anything, and needs no id', () => {
  const good = [{ ...EC, use: 'sig' }, EC, { ...RSA, kid: undefined }];
  const others = ['enc', 'jwt-svid', '', null].map((use) => ({ ...EC, use }));
  expect(signingKeys([...others, ...good])).toStrictEqual(good);
});
