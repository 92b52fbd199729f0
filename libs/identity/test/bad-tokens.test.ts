import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { InvalidToken, ManualClock } from '@mayfly/domain';
import { createWorkloadVerifier, readTrust, RefusedToken } from '@mayfly/identity';
import type { TokenFault, WorkloadVerifier } from '@mayfly/identity';
import { CompactEncrypt, FlattenedSign } from 'jose';
import { bundle, ETL, newSigner, NOW, SECONDS, sign } from './issuer.js';
import type { Signer } from './issuer.js';

const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const noFetch = (): Promise<Response> => Promise.reject(new Error('a request was made'));

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
  await writeFile(file, JSON.stringify(bundle(ours, rsa)));
  const trust = readTrust(JSON.stringify({ trustDomains: [{ name: 'example.org', bundle: { file } }] }), 'dev');
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

/** The bad-input matrix, tokens; the number in front is the row. */
const BAD: [string, () => string | Promise<string>, TokenFault][] = [
  ['29 alg none', () => `${unsigned('none')}AA`, 'unsupported-algorithm'],
  ['29 alg nOnE without a signature', () => unsigned('nOnE'), 'malformed'],
  ['29 alg that is a list', () => `${unsigned(['ES256'])}AA`, 'malformed'],
  ['29 alg named like a property of every object', () => `${unsigned('constructor')}AA`, 'unsupported-algorithm'],
  ['30 HS256 with a public key as the secret', hmac, 'unsupported-algorithm'],
  ['31 an embedded key', () => sign(stranger, {}, { jwk: stranger.jwk }), 'unsupported-header'],
  ['32 jku', header({ jku: 'http://127.0.0.1:1/keys' }), 'unsupported-header'],
  ['32 x5u', header({ x5u: 'file:///etc/passwd' }), 'unsupported-header'],
  ['33 a kid that is a path', header({ kid: '../../dev/null' }), 'unknown-key'],
  ['33 a kid of 10 KiB', header({ kid: 'k'.repeat(10_240) }), 'malformed'],
  [
    '33 a kid that is a list',
    async () => `${encode({ alg: 'ES256', kid: [ours.kid] })}.${(await sign(ours)).split('.').slice(1).join('.')}`,
    'malformed',
  ],
  ['34 an unknown crit', () => `${encode({ alg: 'ES256', crit: ['x'], x: 1 })}.${encode({})}.AA`, 'unsupported-header'],
  ['34 b64 false', () => `${encode({ alg: 'ES256', b64: false, crit: ['b64'] })}.${encode({})}.AA`, 'unsupported-header'],
  [
    '35 an encrypted token',
    () => new CompactEncrypt(Buffer.from('{}')).setProtectedHeader({ alg: 'dir', enc: 'A128CBC-HS256' }).encrypt(Buffer.alloc(32)),
    'malformed',
  ],
  [
    '36 a billion hashes',
    () => `${encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9 })}.${encode({})}.AA`,
    'unsupported-header',
  ],
  [
    '37 JSON serialisation',
    async () => JSON.stringify(await new FlattenedSign(Buffer.from('{}')).setProtectedHeader({ alg: 'ES256' }).sign(ours.privateKey)),
    'malformed',
  ],
  ['38 no exp', claims({ exp: undefined }), 'bad-claims'],
  ['38 exp as text', claims({ exp: String(SECONDS + 60) }), 'bad-claims'],
  ['38 exp with a fraction', claims({ exp: SECONDS + 60.5 }), 'bad-claims'],
  ['38 a huge exp', claims({ exp: 1e300 }), 'bad-claims'],
  ['38 exp in a year', claims({ exp: SECONDS + 31_536_000 }), 'lives-too-long'],
  ['38 expired 30 seconds ago', claims({ exp: SECONDS - 30 }), 'expired'],
  ['39 nbf in 31 seconds', claims({ nbf: SECONDS + 31 }), 'not-yet-valid'],
  ['39 iat in 31 seconds', claims({ iat: SECONDS + 31 }), 'not-yet-valid'],
  ['39 iat as text', claims({ iat: '0' }), 'bad-claims'],
  ['40 no aud', claims({ aud: undefined }), 'bad-claims'],
  ['40 an empty aud', claims({ aud: [] }), 'bad-claims'],
  ['40 two audiences', claims({ aud: ['mayfly', 'vault'] }), 'bad-claims'],
  ['40 an audience that ours is part of', claims({ aud: 'mayfly-console' }), 'wrong-audience'],
  ['40 a case twin of our audience', claims({ aud: 'Mayfly' }), 'wrong-audience'],
  ['41 no subject of a trust domain, and an unknown issuer', claims({ sub: 'etl', iss: 'https://issuer.example.org' }), 'untrusted-issuer'],
  ['42 a security event token by its type', header({ typ: 'secevent+jwt' }), 'wrong-type'],
  ['42 a security event token by its claims', claims({ events: {} }), 'wrong-type'],
  ['43 another trust domain', claims({ sub: 'spiffe://evil.org/agent/etl' }), 'untrusted-issuer'],
  ['43 a path that climbs', claims({ sub: 'spiffe://example.org/../agent/etl' }), 'untrusted-issuer'],
  ['43 a query', claims({ sub: `${ETL}?x=1` }), 'untrusted-issuer'],
  ['43 an upper-case scheme', claims({ sub: ETL.replace('spiffe', 'SPIFFE') }), 'untrusted-issuer'],
  ['43 no path', claims({ sub: 'spiffe://example.org' }), 'untrusted-issuer'],
  ['45 padding', () => withSignature((signature) => `${signature}==`), 'malformed'],
  ['45 white space', async () => `${await sign(ours)}\n`, 'malformed'],
  [
    '45 a non-canonical tail',
    () => withSignature((signature) => signature.slice(0, -1) + ({ A: 'B', Q: 'R', g: 'h', w: 'x' }[signature.at(-1) ?? ''] ?? '')),
    'malformed',
  ],
  ['46 an ECDSA signature of zeros', () => withSignature(() => encode('\0'.repeat(64))), 'bad-signature'],
  ['47 a key nobody published', () => sign(stranger), 'unknown-key'],
  ["47 our key id on a stranger's signature", () => sign({ ...stranger, kid: ours.kid }), 'bad-signature'],
  ['48 64 KiB', claims({ padding: 'a'.repeat(65_536) }), 'too-large'],
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
      sign(ours, { iat: SECONDS + 30 }),
    ]);
    for (const token of tokens) expect(await verifier.verify(token)).toMatchObject({ id: ETL });
  });
});
