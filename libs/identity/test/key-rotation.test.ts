import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { createWorkloadVerifier, readTrust } from '@mayfly/identity';
import type { WorkloadVerifier } from '@mayfly/identity';
import { answerWith, bundle, ETL, newSigner, NOW, SECONDS, sign, startKeyServer } from './issuer.js';
import type { KeyServer, Signer } from './issuer.js';

const minutes = (count: number): number => count * 60_000;

let clock: ManualClock;
let first: Signer;
let second: Signer;
let server: KeyServer;
let verifier: WorkloadVerifier;

const verifierOf = (source: object): WorkloadVerifier =>
  createWorkloadVerifier(readTrust(JSON.stringify({ trustDomains: [{ name: 'example.org', bundle: source }] }), 'dev'), { clock });
const fresh = (signer: Signer): Promise<string> => sign(signer, { exp: clock.now().getTime() / 1000 + 300, iat: undefined });
const outcome = async (signer: Signer): Promise<unknown> => {
  const token = await fresh(signer);
  return verifier.verify(token).then(
    ({ id }) => id,
    (error: { cause: unknown }) => error.cause,
  );
};

beforeEach(async () => {
  clock = new ManualClock(NOW);
  [first, second] = await Promise.all([newSigner(), newSigner('PS256')]);
  server = await startKeyServer(bundle(first));
  verifier = verifierOf({ url: server.url });
});
afterEach(() => server.close());

describe('a token that was verified a moment ago', () => {
  const again = (token: string): Promise<unknown> =>
    verifier.verify(token).then(
      ({ id }) => id,
      (error: { cause: unknown }) => error.cause,
    );

  test('is refused when its time is over, or its key is gone', async () => {
    const token = await fresh(first);
    const short = await sign(first, { exp: SECONDS + 60 });
    expect([await again(token), await again(token), await again(short), await again(short)]).toEqual([ETL, ETL, ETL, ETL]);
    clock.advance(minutes(2));
    expect([await again(token), await again(short)]).toEqual([ETL, 'expired']);
    server.answer = answerWith(bundle(second));
    clock.advance(minutes(3.5));
    expect(await again(token)).toBe('unknown-key');
  });

  test('does not vouch for another with the same signature', async () => {
    const [header, payload, signature] = (await fresh(first)).split('.') as [string, string, string];
    expect(await again([header, payload, signature].join('.'))).toBe(ETL);
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const other = Buffer.from(JSON.stringify({ ...claims, sub: `${ETL}-2` })).toString('base64url');
    expect(await again([header, other, signature].join('.'))).toBe('bad-signature');
  });
});

describe('keys by URL', () => {
  test('are fetched once for many tokens', async () => {
    await Promise.all(Array.from({ length: 20 }, () => outcome(first)));
    expect(await outcome(first)).toBe(ETL);
    expect(server.asked()).toBe(1);
  });

  test('are fetched again at once when a token has a new key', async () => {
    await outcome(first);
    server.answer = answerWith(bundle(first, second));
    expect(await outcome(second)).toBe(ETL);
    expect(server.asked()).toBe(2);
  });

  test('[bad 47] are fetched once in 30 seconds whatever a flood of unknown keys asks for', async () => {
    await outcome(first);
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, n) => sign(second, { exp: SECONDS + 300 }, { kid: `made-up-${n}` })));
    await Promise.allSettled(tokens.map((token) => verifier.verify(token)));
    expect(server.asked()).toBe(2);
    clock.advance(30_000);
    expect(await outcome(second)).toBe('unknown-key');
    expect(server.asked()).toBe(3);
  });

  test('that were taken away stop working at the next refresh, by the hint of the bundle', async () => {
    server.answer = answerWith({ ...bundle(first), spiffe_refresh_hint: 60 });
    await outcome(first);
    server.answer = answerWith(bundle(second));
    clock.advance(59_000);
    expect(await outcome(first)).toBe(ETL);
    clock.advance(1_000);
    expect(await outcome(first)).toBe('unknown-key');
  });

  test('are all tried for a token that names none', async () => {
    const twin = await newSigner('PS256');
    server.answer = answerWith(bundle(second, twin));
    const nameless = (signer: Signer): Promise<string> => sign(signer, {}, { kid: undefined });
    for (const signer of [second, twin]) expect(await verifier.verify(await nameless(signer))).toMatchObject({ id: ETL });
    await expect(verifier.verify(await nameless(await newSigner('PS256')))).rejects.toMatchObject({ cause: 'unknown-key' });
  });

  test('that are all gone revoke the trust domain', async () => {
    await outcome(first);
    server.answer = answerWith({ keys: [] });
    clock.advance(minutes(6));
    expect(await outcome(first)).toBe('unknown-key');
  });

  test('go on working for an hour while their endpoint is down, and come back by themselves', async () => {
    await outcome(first);
    server.answer = (_, response) => response.writeHead(503).end();
    clock.advance(minutes(59));
    expect(await outcome(first)).toBe(ETL);
    clock.advance(minutes(2));
    expect(await outcome(first)).toBe('keys-unavailable');
    server.answer = answerWith(bundle(first));
    clock.advance(30_000);
    expect(await outcome(first)).toBe(ETL);
  });

  test.each<[string, KeyServer['answer']]>([
    ['a redirect', (_, response) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['too much', (_, response) => response.end(JSON.stringify({ ...bundle(first), padding: 'a'.repeat(600_000) }))],
    ['no JSON', (_, response) => response.end('<html>')],
    ['another form', (_, response) => response.end('{"keys":{}}')],
    ['a broken connection', (_, response) => response.destroy()],
  ])('are not taken from %s', async (_, answer) => {
    server.answer = answer;
    expect(await outcome(first)).toBe('keys-unavailable');
    expect(server.asked()).toBe(1);
  });

  test('count only as what they are: for JWT-SVIDs, public, with a usual exponent', async () => {
    const rsa = await newSigner('RS256');
    const keys = [
      { ...second.jwk, use: 'x509-svid' },
      { ...rsa.jwk, use: 'jwt-svid', e: 'AQ' },
      { ...first.jwk, use: 'jwt-svid', d: 'AA' },
    ];
    server.answer = answerWith({ keys });
    for (const signer of [first, second, rsa]) expect(await outcome(signer)).toBe('unknown-key');
  });
});

describe('keys by file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-identity-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('follow the file', async () => {
    const file = join(folder, 'bundle.json');
    verifier = verifierOf({ file });
    expect(await outcome(first)).toBe('keys-unavailable');
    await writeFile(file, JSON.stringify(bundle(first)));
    clock.advance(1_000);
    expect(await outcome(first)).toBe(ETL);
    await writeFile(file, JSON.stringify(bundle(second)));
    expect(await outcome(second)).toBe(ETL);
    expect(await outcome(first)).toBe('unknown-key');
  });
});
