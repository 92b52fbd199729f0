import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { isDevKey, policyKeyForm, publicKeyForm, type PolicyKey, type PublicKey } from '@mayfly/identity';

const ecKey = (namedCurve: string, alg: string) => ({
  ...generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' }),
  kid: 'k',
  alg,
});
const rsaKey = (modulusLength: number, alg: string) => ({
  ...generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }),
  kid: 'k',
  alg,
});

const p256 = ecKey('P-256', 'ES256');
const p384 = ecKey('P-384', 'ES384');
const p521 = ecKey('P-521', 'ES512');
const rsa = rsaKey(2048, 'RS256');
const ed = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' };

/** What is wrong, by member; empty when nothing is. */
const problems = (form: typeof publicKeyForm | typeof policyKeyForm, key: unknown): string[] =>
  form.safeParse(key).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

const BOTH = [
  ['registered', publicKeyForm],
  ['policy', policyKeyForm],
] as const;

describe('a registered key', () => {
  test.each([
    ['ES256', p256],
    ['ES384', p384],
    ['ES512', p521],
    ['RS256, of 2048 bits', rsa],
    ['PS256', { ...rsa, alg: 'PS256' }],
  ])('may be for %s', (_, key) => {
    expect(publicKeyForm.parse(key)).toEqual(key);
    expect(publicKeyForm.parse({ ...key, use: 'sig' })).toEqual({ ...key, use: 'sig' });
  });

  const UNSOUND = ': is not a usable public key (EC on its curve, or RSA of at least 2048 bits)';
  test.each<[string, object, string]>([
    ['an RSA key of 1024 bits', rsaKey(1024, 'RS256'), UNSOUND],
    ['coordinates of no point', { ...p256, y: p256.x }, UNSOUND],
    ['an empty modulus', { ...rsa, n: '' }, 'n: must be base64url'],
    ['a modulus of more than 1400 characters', { ...rsa, n: 'A'.repeat(1401) }, 'n: Too big: expected string to have <=1400 characters'],
    ['another exponent', { ...rsa, e: 'AQ' }, 'e: Invalid input: expected "AQAB"'],
    ['an algorithm of shared secrets', { ...rsa, alg: 'HS256' }, 'alg: Invalid option: expected one of "PS256"|"RS256"'],
    ['Edwards curves', ed, "kty: Invalid discriminator value. Expected 'EC' | 'RSA'"],
    ['a shared secret', { kty: 'oct', k: 'AAAA', kid: 'k', alg: 'HS256' }, "kty: Invalid discriminator value. Expected 'EC' | 'RSA'"],
  ])('is not taken with %s', (_, key, problem) => {
    expect(problems(publicKeyForm, key)[0]).toBe(problem);
  });
});

describe('a key that signs policy sets', () => {
  test.each([
    ['ES256', p256],
    ['ES384', p384],
    ['ES512', p521],
    ['EdDSA', ed],
  ])('may be for %s', (_, key) => {
    expect(policyKeyForm.parse(key)).toEqual(key);
    expect(policyKeyForm.parse({ ...key, use: 'sig' })).toEqual({ ...key, use: 'sig' });
  });

  test.each<[string, object, string]>([
    ['RSA', rsa, "kty: Invalid discriminator value. Expected 'EC' | 'OKP'"],
    ['coordinates of no point', { ...p256, y: p256.x }, ': is not a usable public key (a point on its curve)'],
    ['an Edwards point that is cut', { ...ed, x: 'AAAA' }, ': is not a usable public key (a point on its curve)'],
    ['another Edwards curve', { ...ed, crv: 'Ed448' }, 'crv: Invalid input: expected "Ed25519"'],
    ['an algorithm of another curve', { ...ed, alg: 'ES256' }, 'alg: Invalid input: expected "EdDSA"'],
  ])('is not taken with %s', (_, key, problem) => {
    expect(problems(policyKeyForm, key)[0]).toBe(problem);
  });
});

describe.each(BOTH)('a %s key, whoever it is of,', (_, form) => {
  test.each<[string, object, string]>([
    ['a private half', { d: 'AAAA' }, ': Unrecognized key: "d"'],
    ['an address', { jku: 'https://a' }, ': Unrecognized key: "jku"'],
    ['the curve of another alg', { alg: 'ES384' }, ': the curve is not the one of this alg'],
    ['no algorithm', { alg: undefined }, 'alg: Invalid option: expected one of "ES256"|"ES384"|"ES512"'],
    ['no id', { kid: undefined }, 'kid: Invalid input: expected string, received undefined'],
    ['another use', { use: 'enc' }, 'use: Invalid input: expected "sig"'],
    ...['', 'k'.repeat(129), 'a b', '\tk', 'k\n', 'é'].map((kid): [string, object, string] => [
      `the id ${JSON.stringify(kid)}`,
      { kid },
      'kid: is 1 to 128 visible ASCII characters',
    ]),
    ...[`=${p256.x}`, `${p256.x}=`, '+/+/', ''].map((x): [string, object, string] => [
      `the coordinate ${JSON.stringify(x)}`,
      { x },
      'x: must be base64url',
    ]),
  ])('is not taken with %s', (__, changes, problem) => {
    expect(problems(form, { ...p256, ...changes })[0]).toBe(problem);
  });

  test('has an id of 1 to 128 characters', () => {
    for (const kid of ['k', '!'.repeat(128), '~'.repeat(128)]) expect(problems(form, { ...p256, kid })).toEqual([]);
  });
});

describe('a key whose private half everybody has', () => {
  const published: PublicKey & PolicyKey = {
    kty: 'EC',
    crv: 'P-256',
    x: 't0ptJi0GhC99gJ-TTJxUkxd_whOSQzmqjNeU9hEIRxE',
    y: 'faW2c_fyGraFmf1jXC6DOLXJKrbJjtN_LJ8vJyTfs7A',
    kid: 'any',
    alg: 'ES256',
  };
  test('is known under every id', () => {
    expect(isDevKey(published)).toBe(true);
    expect(isDevKey({ ...published, kid: 'other', use: 'sig' })).toBe(true);
  });
  test('is known however its bytes are spelt', () => {
    const stray = publicKeyForm.parse({ ...published, x: published.x.replace(/E$/, 'F') });
    expect(isDevKey(stray)).toBe(true);
  });
  test('is known by its point across, whose private half follows from its own', () => {
    const prime = BigInt('0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff');
    const across = prime - BigInt(`0x${Buffer.from(published.y, 'base64url').toString('hex')}`);
    const y = Buffer.from(across.toString(16).padStart(64, '0'), 'hex').toString('base64url');
    expect(isDevKey(publicKeyForm.parse({ ...published, y }))).toBe(true);
  });
  test.each([
    ['EC', p256],
    ['RSA', rsa],
    ['Edwards', ed],
  ])('is no other %s key', (_, key) => {
    expect(isDevKey(key as PublicKey)).toBe(false);
  });
});
