/** What is refused of a token before any key is looked for. */
import { describe, expect, test } from '@jest/globals';
import { ALGORITHMS, openToken, RefusedToken, type TokenFault } from '@mayfly/identity';
import { openCompact } from '../src/compact-jws.js';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (header: object, claims: object = {}): string => `${encode({ alg: 'ES256', ...header })}.${encode(claims)}.AA`;
const faultOf = (open: () => unknown): TokenFault | 'opened' => {
  try {
    open();
    return 'opened';
  } catch (error) {
    expect(error).toBeInstanceOf(RefusedToken);
    return (error as RefusedToken).cause;
  }
};

describe('the form of a token', () => {
  test('says who seems to have signed it', () => {
    expect(openToken(token({ typ: 'JWT', kid: 'k' }, { iss: 'https://a', sub: 's' }))).toEqual({
      typ: 'JWT',
      keyId: 'k',
      issuer: 'https://a',
      subject: 's',
    });
    expect(openToken(token({}))).toEqual({});
  });

  test.each(['RS', 'ES', 'PS'].flatMap((family) => [256, 384, 512].map((bits) => `${family}${bits}`)))('may be signed by %s', (alg) => {
    expect(ALGORITHMS).toContain(alg);
    expect(faultOf(() => openToken(token({ alg })))).toBe('opened');
  });
  test.each(['', 'none', 'HS256', 'HS384', 'HS512', 'EdDSA', 'Ed25519', 'ES256K', 'RSA1_5', 'dir', 'es256', 'ES256 '])(
    'may not be signed by %j',
    (alg) => {
      expect(faultOf(() => openToken(token({ alg })))).toBe('unsupported-algorithm');
    },
  );
  test('may be signed only by what its reader takes, where that is said', () => {
    expect(faultOf(() => openToken(token({ alg: 'EdDSA' }), ['EdDSA']))).toBe('opened');
    expect(faultOf(() => openToken(token({ alg: 'ES256' }), ['EdDSA']))).toBe('unsupported-algorithm');
  });

  test.each(['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc', 'p2c', 'p2s', 'epk'])(
    'has no header member %s, whatever its value',
    (name) => {
      for (const value of [null, false, 0, '', {}]) expect(faultOf(() => openToken(token({ [name]: value })))).toBe('unsupported-header');
    },
  );
  test('brings a key only where its reader wants just that', () => {
    const limits = { longest: 1_000, embedded: 'jwk' };
    expect(faultOf(() => openCompact(token({ jwk: {} }), limits))).toBe('opened');
    expect(faultOf(() => openCompact(token({ jwk: {}, jku: 'https://a' }), limits))).toBe('unsupported-header');
  });

  test.each<[string, string]>([
    ['no part', ''],
    ['one part', encode({ alg: 'ES256' })],
    ['two parts', `${encode({ alg: 'ES256' })}.${encode({})}`],
    ['four parts', `${token({})}.AA`],
    ['five parts', `${token({})}.AA.AA`],
    ['an empty header', `.${encode({})}.AA`],
    ['an empty payload', `${encode({ alg: 'ES256' })}..AA`],
    ['an empty signature', `${encode({ alg: 'ES256' })}.${encode({})}.`],
    ['a header without alg', `${encode({})}.${encode({})}.AA`],
    ['a payload that is no object', `${encode({ alg: 'ES256' })}.${encode([])}.AA`],
    ['an empty kid', token({ kid: '' })],
    ['a kid of 257 characters', token({ kid: 'k'.repeat(257) })],
    ['a typ that is a list', token({ typ: ['JWT'] })],
    ['an issuer that is a list', token({}, { iss: ['https://a'] })],
    ['a subject that is a number', token({}, { sub: 7 })],
    ['padding', `${encode({ alg: 'ES256' })}.${encode({})}.AA==`],
    ['white space', `${token({})}\n`],
    ['letters of plain base64', `${encode({ alg: 'ES256' })}.${encode({})}.+/AA`],
    ['stray bits in its last letter', `${encode({ alg: 'ES256' })}.${encode({})}.AB`],
  ])('has three parts of its own: not %s', (_, text) => {
    expect(faultOf(() => openToken(text))).toBe('malformed');
  });

  test('is at most 16384 characters long', () => {
    const long = (length: number): string => `${encode({ alg: 'ES256' })}.${encode({})}.`.padEnd(length, 'A');
    expect(faultOf(() => openToken(long(16_384)))).toBe('opened');
    expect(faultOf(() => openToken(long(16_385)))).toBe('too-large');
  });
});

test('a refusal says what it is by name, and to the outside nothing of its reason', () => {
  expect(new RefusedToken('unknown-key')).toMatchObject({ name: 'RefusedToken', code: 'invalid-token', cause: 'unknown-key' });
  expect(new RefusedToken('unknown-key').message).toBe(new RefusedToken('expired').message);
});
