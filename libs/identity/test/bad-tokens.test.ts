import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { InvalidToken, ManualClock } from '@mayfly/domain';
import { createWorkloadVerifier, readTrust, RefusedToken } from '@mayfly/identity';
import type { TokenFault, WorkloadVerifier } from '@mayfly/identity';
import { CompactEncrypt, CompactSign, FlattenedSign } from 'jose';
import { bundle, ETL, newSigner, NOW, SECONDS, sign } from './issuer.js';
import type { Signer } from './issuer.js';

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const noFetch = (): Promise<Response> => Promise.reject(new Error('a request was made'));

const ISSUER = 'https://issuer.example.com';

/** Keys that even a trusted bundle must not bring in. */
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const WEAK = (): object[] => [
  { ...weak.publicKey.export({ format: 'jwk' }), use: 'jwt-svid', kid: 'small' },
  { kty: 'EC', crv: 'P-256', x: ours.jwk.x, y: ours.jwk.x, use: 'jwt-svid', kid: 'crooked' },
  { ...rsa.jwk, e: 'AQ', use: 'jwt-svid', kid: 'one' },
];

let folder: string;
let ours: Signer;
let rsa: Signer;
let stranger: Signer;
let verifier: WorkloadVerifier;
let requests = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-identity-'));
  [ours, rsa, stranger] = await Promise.all([newSigner('ES256'), newSigner('RS256'), newSigner('ES256')]);
  const file = join(folder, 'bundle.json');
  await writeFile(file, JSON.stringify({ keys: [...bundle(ours, rsa).keys, ...WEAK()] }));
  const workloadIssuers = [{ issuer: ISSUER, jwks: { file } }];
  const trust = readTrust(JSON.stringify({ trustDomains: [{ name: 'example.org', bundle: { file } }], workloadIssuers }), 'dev');
  verifier = createWorkloadVerifier(trust, { clock: new ManualClock(NOW), fetch: () => (requests++, noFetch()) });
});
afterAll(() => rm(folder, { recursive: true }));

const unsigned = (alg: unknown): string => `${encode({ alg })}.${encode({ sub: ETL, aud: 'mayfly', exp: SECONDS + 60 })}.`;
const withSignature = async (change: (signature: string) => string): Promise<string> => {
  const [header, payload, signature] = (await sign(ours)).split('.');
  return `${header}.${payload}.${change(signature ?? '')}`;
};
const hmac = (): string => {
  const input = `${encode({ alg: 'HS256', kid: rsa.kid })}.${encode({ sub: ETL, aud: 'mayfly', exp: SECONDS + 60 })}`;
  return `${input}.${createHmac('sha256', JSON.stringify(rsa.jwk)).update(input).digest('base64url')}`;
};
const claims = (changes: object) => (): Promise<string> => sign(ours, changes);
const header = (changes: object) => (): Promise<string> => sign(ours, {}, changes);

/** A signature that somebody else could have made of ours: with ECDSA, `-s` is as good as `s`. */
const mirrored = (signature: string): string => {
  const bytes = Buffer.from(signature, 'base64url');
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  return Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]).toString('base64url');
};
const small = (): Promise<string> => {
  const input = `${encode({ alg: 'RS256', kid: 'small' })}.${encode({ sub: ETL, aud: 'mayfly', exp: SECONDS + 60 })}`;
  return Promise.resolve(`${input}.${signBytes('sha256', Buffer.from(input), weak.privateKey).toString('base64url')}`);
};

/** Right claims beside a byte that begins no character. */
const crooked = (): Buffer =>
  Buffer.concat([
    Buffer.from('{"x":"'),
    Buffer.from([0xff]),
    Buffer.from(`",${JSON.stringify({ sub: ETL, aud: 'mayfly', exp: SECONDS + 60 }).slice(1)}`),
  ]);

/** The bad-input matrix, tokens; the number in front is the row. Row 44 is in dpop.test.ts. */
const BAD: [string, () => string | Promise<string>, TokenFault][] = [
  ['[bad 29] alg none', () => `${unsigned('none')}AA`, 'unsupported-algorithm'],
  ['[bad 29] alg nOnE without a signature', () => unsigned('nOnE'), 'malformed'],
  ['[bad 29] alg None', () => `${unsigned('None')}AA`, 'unsupported-algorithm'],
  ['[bad 29] alg that is a list', () => `${unsigned(['ES256'])}AA`, 'malformed'],
  ['[bad 29] alg named like a property of every object', () => `${unsigned('constructor')}AA`, 'unsupported-algorithm'],
  ['[bad 30] HS256 with a public key as the secret', hmac, 'unsupported-algorithm'],
  ['[bad 31] an embedded key', () => sign(stranger, {}, { jwk: stranger.jwk }), 'unsupported-header'],
  ['[bad 32] jku', header({ jku: 'http://127.0.0.1:1/keys' }), 'unsupported-header'],
  ['[bad 32] x5u', header({ x5u: 'file:///etc/passwd' }), 'unsupported-header'],
  ['[bad 32] jku to where clouds keep secrets', header({ jku: 'http://169.254.169.254/latest' }), 'unsupported-header'],
  ['[bad 33] a kid that is a path', header({ kid: '../../dev/null' }), 'unknown-key'],
  ['[bad 33] a kid that is SQL', header({ kid: "' or '1'='1" }), 'unknown-key'],
  ['[bad 33] a kid that every object has', header({ kid: 'constructor' }), 'unknown-key'],
  ['[bad 33] a kid of 10 KiB', header({ kid: 'k'.repeat(10_240) }), 'malformed'],
  [
    '[bad 33] a kid that is a list',
    async () => `${encode({ alg: 'ES256', kid: [ours.kid] })}.${(await sign(ours)).split('.').slice(1).join('.')}`,
    'malformed',
  ],
  ['[bad 34] an unknown crit', () => `${encode({ alg: 'ES256', crit: ['x'], x: 1 })}.${encode({})}.AA`, 'unsupported-header'],
  ['[bad 34] b64 false', () => `${encode({ alg: 'ES256', b64: false, crit: ['b64'] })}.${encode({})}.AA`, 'unsupported-header'],
  [
    '[bad 35] an encrypted token',
    () => new CompactEncrypt(Buffer.from('{}')).setProtectedHeader({ alg: 'dir', enc: 'A128CBC-HS256' }).encrypt(Buffer.alloc(32)),
    'malformed',
  ],
  [
    '[bad 36] a billion hashes',
    () => `${encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9 })}.${encode({})}.AA`,
    'unsupported-header',
  ],
  ['[bad 36] a compressed token', header({ zip: 'DEF' }), 'unsupported-header'],
  [
    '[bad 37] JSON serialisation',
    async () => JSON.stringify(await new FlattenedSign(Buffer.from('{}')).setProtectedHeader({ alg: 'ES256' }).sign(ours.privateKey)),
    'malformed',
  ],
  ['[bad 38] no exp', claims({ exp: undefined }), 'bad-claims'],
  ['[bad 38] exp as text', claims({ exp: String(SECONDS + 60) }), 'bad-claims'],
  ['[bad 38] exp with a fraction', claims({ exp: SECONDS + 60.5 }), 'bad-claims'],
  ['[bad 38] a huge exp', claims({ exp: 1e300 }), 'bad-claims'],
  ['[bad 38] exp in a year', claims({ exp: SECONDS + 31_536_000 }), 'lives-too-long'],
  ['[bad 38] expired 30 seconds ago', claims({ exp: SECONDS - 30 }), 'expired'],
  ['[bad 39] nbf in 31 seconds', claims({ nbf: SECONDS + 31 }), 'not-yet-valid'],
  ['[bad 39] iat in 31 seconds', claims({ iat: SECONDS + 31 }), 'not-yet-valid'],
  ['[bad 39] both leeways used up', claims({ nbf: SECONDS + 31, exp: SECONDS + 31 }), 'not-yet-valid'],
  ['[bad 39] iat as text', claims({ iat: '0' }), 'bad-claims'],
  ['[bad 40] no aud', claims({ aud: undefined }), 'bad-claims'],
  ['[bad 40] an empty aud', claims({ aud: [] }), 'bad-claims'],
  ['[bad 40] two audiences', claims({ aud: ['mayfly', 'vault'] }), 'bad-claims'],
  ['[bad 40] an audience that ours is part of', claims({ aud: 'mayfly-console' }), 'wrong-audience'],
  ['[bad 40] a case twin of our audience', claims({ aud: 'Mayfly' }), 'wrong-audience'],
  [
    '[bad 41] no subject of a trust domain, and an unknown issuer',
    claims({ sub: 'etl', iss: 'https://issuer.example.org' }),
    'untrusted-issuer',
  ],
  ['[bad 41] our issuer and a slash', claims({ sub: 'etl', iss: `${ISSUER}/` }), 'untrusted-issuer'],
  ['[bad 41] our issuer and its port', claims({ sub: 'etl', iss: `${ISSUER}:443` }), 'untrusted-issuer'],
  ['[bad 41] our issuer in capitals', claims({ sub: 'etl', iss: ISSUER.toUpperCase() }), 'untrusted-issuer'],
  ['[bad 41] a host that looks like our issuer', claims({ sub: 'etl', iss: 'https://xn--ssuer-7ya.example.com' }), 'untrusted-issuer'],
  ['[bad 41] an issuer that is a list', claims({ sub: 'etl', iss: [ISSUER] }), 'malformed'],
  ['[bad 42] a security event token by its type', header({ typ: 'secevent+jwt' }), 'wrong-type'],
  ['[bad 42] a security event token by its claims', claims({ events: {} }), 'wrong-type'],
  ['[bad 42] a logout token', header({ typ: 'logout+jwt' }), 'wrong-type'],
  ['[bad 42] an ID token, which is for the one who asked for it', claims({ aud: 'my-client', nonce: 'n' }), 'wrong-audience'],
  ['[bad 43] another trust domain', claims({ sub: 'spiffe://evil.org/agent/etl' }), 'untrusted-issuer'],
  ['[bad 43] a path that climbs', claims({ sub: 'spiffe://example.org/../agent/etl' }), 'untrusted-issuer'],
  ['[bad 43] a query', claims({ sub: `${ETL}?x=1` }), 'untrusted-issuer'],
  ['[bad 43] an upper-case scheme', claims({ sub: ETL.replace('spiffe', 'SPIFFE') }), 'untrusted-issuer'],
  ['[bad 43] no path', claims({ sub: 'spiffe://example.org' }), 'untrusted-issuer'],
  ['[bad 45] padding', () => withSignature((signature) => `${signature}==`), 'malformed'],
  ['[bad 45] white space', async () => `${await sign(ours)}\n`, 'malformed'],
  [
    '[bad 45] a non-canonical tail',
    () => withSignature((signature) => signature.slice(0, -1) + ({ A: 'B', Q: 'R', g: 'h', w: 'x' }[signature.at(-1) ?? ''] ?? '')),
    'malformed',
  ],
  ['[bad 46] an ECDSA signature of zeros', () => withSignature(() => encode('\0'.repeat(64))), 'bad-signature'],
  ['[bad 46] an RSA key of 1024 bits', small, 'bad-signature'],
  ['[bad 46] a key that is no point of its curve', header({ kid: 'crooked' }), 'bad-signature'],
  ['[bad 46] the exponent 1', () => sign({ ...rsa, kid: 'one' }), 'unknown-key'],
  ['[bad 47] a key nobody published', () => sign(stranger), 'unknown-key'],
  ["[bad 47] our key id on a stranger's signature", () => sign({ ...stranger, kid: ours.kid }), 'bad-signature'],
  ['[bad 42] an access token in the name of a trust domain', header({ typ: 'at+jwt' }), 'wrong-type'],
  ['[bad 38] a second too long a life', claims({ exp: SECONDS + 86_431 }), 'lives-too-long'],
  [
    'claims that are no UTF-8',
    () => new CompactSign(crooked()).setProtectedHeader({ alg: ours.alg, kid: ours.kid }).sign(ours.privateKey),
    'bad-claims',
  ],
  ['[bad 48] 64 KiB', claims({ padding: 'a'.repeat(65_536) }), 'too-large'],
  ['an empty text', () => '', 'malformed'],
  ['the word Bearer in front', async () => `Bearer ${await sign(ours)}`, 'malformed'],
  ['a header that is no JSON', () => 'AA.AA.AA', 'malformed'],
];

describe('bad tokens', () => {
  test.each(BAD)('are refused, all with one sentence: %s', async (_, token, fault) => {
    const text = await token();
    const refusal = await verifier.verify(text).then(
      () => 'accepted',
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(RefusedToken);
    expect(refusal).toMatchObject({ code: 'invalid-token', status: 401, message: new InvalidToken().message, cause: fault });
    expect(requests).toBe(0);
  });
});

test('[bad 36] what would cost a billion hashes costs nothing', async () => {
  const expensive = `${encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9, p2s: 'AA' })}.${encode({})}.AA`;
  const before = process.cpuUsage();
  for (let n = 0; n < 100; n += 1) await expect(verifier.verify(expensive)).rejects.toThrow(RefusedToken);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000 / 100).toBeLessThan(5);
});

test('[bad 46] a mirrored signature (high S, which half of all signers make) proves the same, and no more', async () => {
  // RFC 7518 knows no low-S rule. Nothing here is told apart by the bytes of a signature, so a twin gains nothing.
  const token = await sign(ours, { jti: 'j1' });
  const [header, payload, signature = ''] = token.split('.');
  expect(await verifier.verify(`${header}.${payload}.${mirrored(signature)}`)).toEqual(await verifier.verify(token));
});

describe('JWT-SVIDs', () => {
  test('prove a workload', async () => {
    expect(await verifier.verify(await sign(ours, { jti: 'j1' }, { typ: 'JWT' }))).toEqual({
      kind: 'spiffe',
      id: ETL,
      trustDomain: 'example.org',
      audience: 'mayfly',
      expiresAt: new Date((SECONDS + 300) * 1000),
      tokenId: 'j1',
    });
  });
  test('may leave out key id, type and iat, and be as far off as clocks may be', async () => {
    const tokens = await Promise.all([
      sign(rsa, {}, { kid: undefined }),
      sign(ours, { iat: undefined, aud: 'mayfly' }),
      sign(ours, { exp: SECONDS - 29 }),
      sign(ours, { exp: SECONDS + 86_430 }),
      sign(ours, { iat: SECONDS + 30 }),
      sign(ours, { nbf: SECONDS + 30 }),
    ]);
    for (const token of tokens) expect(await verifier.verify(token)).toMatchObject({ id: ETL });
  });
  test('have an id only where it is one', async () => {
    for (const jti of [undefined, '', 7, 'j'.repeat(257)])
      expect(await verifier.verify(await sign(ours, { jti }))).not.toHaveProperty('tokenId');
    expect(await verifier.verify(await sign(ours, { jti: 'j'.repeat(256) }))).toHaveProperty('tokenId', 'j'.repeat(256));
  });
});
