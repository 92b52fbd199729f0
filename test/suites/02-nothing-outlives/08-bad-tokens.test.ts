import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JWK } from 'jose';
import { encode, forge, forgeHmac, rightClaims, withSignature } from '../../world/forge.js';
import { getBytes, sendRaw } from '../../world/raw-http.js';
import { ETL, World } from '../../world/world.js';

let world: World;
let agents: JWK;
let operators: JWK;
let trap: Server;
let trapped = 0;
/** Every token that was sent, so that the end can look for it in the logs. */
const sent: string[] = [];

beforeAll(async () => {
  world = await World.open();
  const readKey = (name: string): JWK => JSON.parse(readFileSync(join(dirname(world.dev.keys.agents), `${name}.jwk`), 'utf8')) as JWK;
  [agents, operators] = [readKey('agents'), readKey('operators')];
  trap = createServer((socket) => {
    trapped += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
}, 60_000);
afterAll(async () => {
  trap?.close();
  await world?.close();
});

const trapUrl = (): string => `http://127.0.0.1:${(trap.address() as AddressInfo).port}/keys`;
const stranger = (): JWK => ({
  ...(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as JWK),
  alg: 'ES256',
});
const publicOf = ({ kty, crv, x, y, kid, alg }: JWK): JWK => ({ kty, crv, x, y, kid, alg }) as JWK;
const seconds = (): number => Math.floor(Date.now() / 1000);
const header = (changes: Readonly<Record<string, unknown>>) => (): string => forge(agents, changes);
const claims = (changes: () => Readonly<Record<string, unknown>>) => (): string => forge(agents, {}, rightClaims(changes()));

/** The bad-input matrix, tokens; the number is the row. Row 44 (proofs) is in 10-dpop.test.ts, weak keys of row 46 in libs/identity. */
const BAD: readonly (readonly [name: string, token: () => string])[] = [
  ...['none', 'None', 'nOnE'].map((alg) => [`[bad 29] alg ${alg}`, () => `${encode({ alg })}.${encode(rightClaims())}.AA`] as const),
  ['[bad 29] alg none without a signature', () => `${encode({ alg: 'none' })}.${encode(rightClaims())}.`],
  ['[bad 30] HS256 with the public key as the secret', () => forgeHmac(JSON.stringify(publicOf(agents)), agents.kid)],
  ['[bad 31] an embedded key', () => ((key) => forge(key, { jwk: publicOf(key) }))(stranger())],
  ['[bad 32] jku to this machine', () => forge(stranger(), { jku: trapUrl() })],
  ['[bad 32] x5u to this machine', () => forge(stranger(), { x5u: trapUrl() })],
  ['[bad 32] jku, signed by the right key', () => forge(agents, { jku: trapUrl() })],
  ['[bad 32] jku to where clouds keep secrets', header({ jku: 'http://169.254.169.254/latest/meta-data' })],
  ['[bad 32] x5u to a file', header({ x5u: 'file:///etc/passwd' })],
  ['[bad 33] a kid that is a path', header({ kid: '../../../dev/null' })],
  ['[bad 33] a kid that is SQL', header({ kid: "' union select 'AA" })],
  ['[bad 33] a kid of 10 KiB', header({ kid: 'k'.repeat(10_240) })],
  ['[bad 33] a kid that is a list', header({ kid: ['a'] })],
  ['[bad 34] an unknown crit', header({ crit: ['x'], x: 1 })],
  ['[bad 34] b64 false', header({ b64: false, crit: ['b64'] })],
  ['[bad 35] an encrypted token', () => `${encode({ alg: 'dir', enc: 'A128GCM' })}..${encode('iv')}.${encode('text')}.${encode('tag')}`],
  ['[bad 36] a billion hashes', () => `${encode({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9, p2s: 'AA' })}.AA.AA.AA.AA`],
  ['[bad 36] a billion hashes in a signed token', header({ p2c: 1e9 })],
  ['[bad 36] compressed', header({ zip: 'DEF' })],
  [
    '[bad 37] JSON serialisation',
    () => `{"protected":"${encode({ alg: 'ES256' })}","payload":"${encode(rightClaims())}","signature":"AA"}`,
  ],
  ['[bad 37] half JSON, half compact', () => `${forge(agents)}{}`],
  ['[bad 38] no exp', claims(() => ({ exp: undefined }))],
  ['[bad 38] exp as text', claims(() => ({ exp: String(seconds() + 60) }))],
  ['[bad 38] exp with a fraction', claims(() => ({ exp: seconds() + 60.5 }))],
  ['[bad 38] a huge exp', claims(() => ({ exp: 1e300 }))],
  ['[bad 38] over for a minute', claims(() => ({ exp: seconds() - 60 }))],
  ['[bad 39] nbf in a minute', claims(() => ({ nbf: seconds() + 60 }))],
  ['[bad 39] iat in a minute', claims(() => ({ iat: seconds() + 60 }))],
  ['[bad 40] no aud', claims(() => ({ aud: undefined }))],
  ['[bad 40] an empty aud', claims(() => ({ aud: [] }))],
  ['[bad 40] two audiences', claims(() => ({ aud: ['mayfly', 'vault'] }))],
  ['[bad 40] an audience that ours is part of', claims(() => ({ aud: 'mayfly-console' }))],
  ['[bad 40] a case twin of our audience', claims(() => ({ aud: 'Mayfly' }))],
  ['[bad 41] an issuer in place of a trust domain', claims(() => ({ sub: 'etl', iss: `${world.dev.issuer.url}/` }))],
  ['[bad 42] a security event token', header({ typ: 'secevent+jwt' })],
  ['[bad 42] a security event token by its claims', claims(() => ({ events: { 'https://schemas.openid.net/secevent/caep': {} } }))],
  ['[bad 42] a logout token', header({ typ: 'logout+jwt' })],
  ['[bad 42] a proof in place of a token', header({ typ: 'dpop+jwt' })],
  ['[bad 43] another trust domain', claims(() => ({ sub: 'spiffe://evil.org/agent/etl' }))],
  ['[bad 43] a path that climbs', claims(() => ({ sub: 'spiffe://example.org/x/../agent/etl' }))],
  ['[bad 43] a query', claims(() => ({ sub: `${ETL}?x=1` }))],
  ['[bad 45] padding', () => withSignature(forge(agents), (signature) => `${signature}==`)],
  ['[bad 45] a non-canonical tail', () => withSignature(forge(agents), twinOf)],
  ['[bad 46] an ECDSA signature of zeros', () => withSignature(forge(agents), () => encode('\0'.repeat(64)))],
  ['[bad 46] a signature cut short', () => withSignature(forge(agents), (signature) => signature.slice(0, 43))],
  ['[bad 47] a key nobody published', () => forge(stranger(), { kid: 'made-up' })],
  ["[bad 47] our key id on a stranger's signature", () => forge(stranger(), { kid: agents.kid })],
];

/** The same bytes in another spelling: the last character of a 64-byte signature has four bits that mean nothing. */
const twinOf = (signature: string): string => signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);

const REFUSAL = {
  type: 'urn:mayfly:problem:invalid-token',
  title: 'invalid token',
  status: 401,
  code: 'invalid-token',
  detail: expect.any(String),
};

async function present(url: string, token: string) {
  sent.push(token);
  const answer = await sendRaw(url, getBytes(new URL(url).pathname, [['Authorization', `Bearer ${token}`]]), 0);
  return { ...answer, problem: JSON.parse(answer.body) as Record<string, unknown> };
}

describe('a token that proves nothing', () => {
  test.each(BAD)('%s: 401, with one sentence for all', async (_, make) => {
    const { status, headers, problem, milliseconds } = await present(`${world.dev.delivery.url}/v1/tasks/any`, make());
    expect({ status, problem }).toEqual({ status: 401, problem: REFUSAL });
    expect(problem['detail']).toBe((await world.ask('/v1/tasks/any', { bearer: 'x' })).body.detail);
    expect(headers).toMatchObject({ 'www-authenticate': expect.stringContaining('Bearer'), 'content-type': 'application/problem+json' });
    expect(headers['cache-control']).toBe('no-store');
    expect(milliseconds).toBeLessThan(2_000);
  });

  test('[bad 29] and no other of them decides a tool call', async () => {
    for (const [name, make] of BAD) {
      const token = make();
      sent.push(token);
      const { status, body } = await world.ask('/access/v1/evaluation', { method: 'POST', bearer: token, body: '{}' });
      expect({ name, status, problem: body }).toEqual({ name, status: 401, problem: REFUSAL });
    }
  });

  test('the right token, made the same way, is accepted', async () => {
    expect((await present(`${world.dev.delivery.url}/v1/tasks/unknown`, forge(agents))).status).toBe(404);
  });

  test('[bad 32] nobody followed an address out of a token', () => expect(trapped).toBe(0));
});

describe('a token that proves no operator', () => {
  const person = (changes: Readonly<Record<string, unknown>>): string =>
    forge(
      operators,
      {},
      { ...rightClaims(), iss: world.dev.issuer.url, sub: 'admin', roles: ['admin'], aud: 'mayfly-console', ...changes },
    );

  test('the right one, made the same way, is accepted', async () => {
    expect((await present(`${world.dev.console.url}/v1/checkpoint`, person({}))).status).toBe(200);
  });

  test.each<[string, () => Readonly<Record<string, unknown>>]>([
    ['[bad 40] for agents', () => ({ aud: 'mayfly' })],
    ['[bad 41] our issuer and a slash', () => ({ iss: `${world.dev.issuer.url}/` })],
    ['[bad 41] our issuer by another name', () => ({ iss: world.dev.issuer.url.replace('127.0.0.1', 'localhost') })],
    ['[bad 41] our issuer in capitals', () => ({ iss: world.dev.issuer.url.replace('http', 'HTTP') })],
    ['[bad 42] a security event', () => ({ events: {} })],
  ])('%s: 401', async (_, changes) => {
    expect(await present(`${world.dev.console.url}/v1/checkpoint`, person(changes()))).toMatchObject({ status: 401, problem: REFUSAL });
  });

  test('[bad 41] a SPIFFE ID that the operators’ issuer cannot vouch for', async () => {
    const token = forge(operators, {}, rightClaims());
    expect(await present(`${world.dev.delivery.url}/v1/tasks/any`, token)).toMatchObject({ status: 401, problem: REFUSAL });
  });
});

describe('[bad 47] a flood of made-up key ids', () => {
  test('costs the key server one request, and its neighbours nothing', async () => {
    const asked = (): number => readFileSync(join(world.dev.logs, 'identity.log'), 'utf8').split('"GET /spiffe/bundle"').length - 1;
    await present(`${world.dev.delivery.url}/v1/tasks/any`, forge(agents));
    const [before, from] = [asked(), performance.now()];
    const key = stranger();
    for (let round = 0; round < 10; round += 1) {
      const flood = Array.from({ length: 50 }, (_, n) => forge(key, { kid: `made-up-${round}-${n}` }));
      const statuses = await Promise.all(flood.map(async (token) => (await world.ask('/v1/tasks/any', { bearer: token })).status));
      expect(new Set(statuses)).toEqual(new Set([401]));
    }
    expect((await world.ask('/v1/tasks/any')).status).toBe(404);
    // One refetch in 30 s; beside it each service that verifies (delivery, console) refreshes on its own every 30 s.
    const periods = Math.ceil((performance.now() - from) / 30_000);
    expect(asked() - before).toBeLessThanOrEqual(3 * periods);
  });
});

describe('[bad 48] a token in the wrong place', () => {
  const ask = async (path: string, headers: readonly (readonly [string, string])[]) => {
    sent.push(...headers.map(([, value]) => value.replace(/^\w+ /, '')), ...[path.split('access_token=')[1] ?? []].flat());
    const answer = await sendRaw(world.dev.delivery.url, getBytes(path, headers), 0);
    return { status: answer.status, code: (JSON.parse(answer.body) as { code: string }).code };
  };
  const bearer = (token: string): readonly [string, string] => ['Authorization', `Bearer ${token}`];
  const large = (bytes: number): string => forge(agents, {}, rightClaims({ padding: 'a'.repeat(bytes) }));

  test('of 64 KiB', async () =>
    expect(await ask('/v1/tasks/any', [bearer(large(65_536))])).toEqual({ status: 431, code: 'request-too-large' }));
  test('of 12 KiB, which a header can hold, is only a token', async () =>
    expect(await ask('/v1/tasks/any', [bearer(large(8_000))])).toEqual({ status: 404, code: 'task-not-found' }));
  test('in two headers', async () =>
    expect(await ask('/v1/tasks/any', [bearer(forge(agents)), bearer(forge(agents))])).toEqual({ status: 400, code: 'invalid-request' }));
  test('in the query alone', async () =>
    expect(await ask(`/v1/tasks/any?access_token=${forge(agents)}`, [])).toEqual({ status: 401, code: 'invalid-token' }));
  test('in the query too', async () =>
    expect(await ask(`/v1/tasks/any?access_token=${forge(agents)}`, [bearer(forge(agents))])).toEqual({
      status: 400,
      code: 'invalid-request',
    }));
  test.each(['Basic', 'Token', 'JWT', 'bearer\u00a0'])('after the word %s', async (scheme) =>
    expect(await ask('/v1/tasks/any', [['Authorization', `${scheme} ${forge(agents)}`]])).toEqual({ status: 401, code: 'invalid-token' }),
  );
});

test('nothing of any of these tokens is in a log or a span', async () => {
  const parts = [...new Set(sent.flatMap((token) => token.split('.')))].filter((part) => part.length >= 24 && !/^(.)\1+/.test(part));
  expect(parts.length).toBeGreaterThan(50);
  const logs = readdirSync(world.dev.logs).map((name) => readFileSync(join(world.dev.logs, name), 'utf8'));
  const spans = await (await fetch(`${world.dev.zipkin.url}/api/v2/traces?limit=500&lookback=600000&serviceName=delivery`)).text();
  expect(spans).toContain('delivery');
  const seen = [...logs, spans].join('\n');
  // The alg-only headers of a JWT are no secret, and the same in every token.
  expect(parts.filter((part) => seen.includes(part))).toEqual([]);
});
