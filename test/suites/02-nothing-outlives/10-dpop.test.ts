import { createHash, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAgentClient } from '@mayfly/agent-client';
import { calculateJwkThumbprint, SignJWT, type JWK } from 'jose';
import { getBytes, sendRaw } from '../../world/raw-http.js';
import { World } from '../../world/world.js';

let world: World;
let key: KeyObject;
let publicKey: JWK;
let token: string;
beforeAll(async () => {
  world = await World.open();
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  key = pair.privateKey;
  publicKey = pair.publicKey.export({ format: 'jwk' });
  token = await bound();
}, 60_000);
afterAll(() => world?.close());

const bound = async (): Promise<string> => world.agentToken(undefined, { cnf: { jkt: await calculateJwkThumbprint(publicKey) } });
const url = (path: string): string => `${world.dev.delivery.url}${path}`;
const proofFor = (path: string, claims: object = {}, header: object = {}, by = key): Promise<string> =>
  new SignJWT({
    jti: randomUUID(),
    htm: 'GET',
    htu: url(path),
    iat: Math.floor(Date.now() / 1000),
    ath: digestOf(token),
    ...claims,
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey, ...header })
    .sign(by);

/** Headers as they are given; the answer with its code. */
async function ask(path: string, headers: readonly (readonly [string, string])[]) {
  const answer = await sendRaw(world.dev.delivery.url, getBytes(path, headers), 0);
  return {
    status: answer.status,
    code: (JSON.parse(answer.body) as { code?: string }).code,
    challenge: answer.headers['www-authenticate'],
  };
}
const dpop = (proof: string, as = token): readonly (readonly [string, string])[] => [
  ['Authorization', `DPoP ${as}`],
  ['DPoP', proof],
];
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const unbound = async () => {
  const free = await world.agentToken();
  return dpop(await proofFor(PATH, { ath: digestOf(free) }), free);
};
const REFUSED = { status: 401, code: 'invalid-token', challenge: expect.stringMatching(/^Bearer, DPoP algs="[^"]*ES256[^"]*"$/) };
const LET_IN = { status: 404, code: 'task-not-found', challenge: undefined };
const PATH = '/v1/tasks/unknown';

test('an agent whose token is bound to its key gets its secret, and gives it back', async () => {
  const agent = createAgentClient({ url: world.dev.delivery.url, token: bound, proofKey: key });
  const taskId = await world.start('orders-db.read');
  const { data } = await agent.secret(taskId, 'orders-db', { waitSeconds: 15 });
  expect(await world.isRefused(data)).toBe(false);
  await agent.heartbeat(taskId);
  expect((await agent.task(taskId)).state).toBe('granted');
  await agent.release(taskId);
  await world.event(taskId, 'grant.closed');
  expect(await world.isRefused(data)).toBe(true);
});

describe('[bad 44]', () => {
  test('the right proof is taken once; again, by any copy at the same time, it is refused', async () => {
    const proof = await proofFor(PATH);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(PATH, dpop(proof))));
    expect(answers.filter(({ status }) => status === 404)).toEqual([LET_IN]);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
    expect(await ask(PATH, dpop(proof))).toEqual(REFUSED);
  });

  test.each<[string, () => Promise<readonly (readonly [string, string])[]>]>([
    ['a bound token as a bearer token', async () => [['Authorization', `Bearer ${token}`]]],
    [
      'a bound token as a bearer token, with a proof',
      async () => [
        ['Authorization', `Bearer ${token}`],
        ['DPoP', await proofFor(PATH)],
      ],
    ],
    ['no proof', async () => [['Authorization', `DPoP ${token}`]]],
    ['two proofs', async () => [...dpop(await proofFor(PATH)), ['DPoP', await proofFor(PATH)]]],
    ['a token that is bound to nothing', unbound],
    ['another method (htm)', async () => dpop(await proofFor(PATH, { htm: 'POST' }))],
    ['another path (htu)', async () => dpop(await proofFor('/v1/tasks/other'))],
    ['another host (htu)', async () => dpop(await proofFor(PATH, { htu: `http://evil.example${PATH}` }))],
    ['another token (ath)', async () => dpop(await proofFor(PATH, { ath: digestOf('x') }))],
    ['a proof of two minutes ago', async () => dpop(await proofFor(PATH, { iat: Math.floor(Date.now() / 1000) - 120 }))],
    ['a proof of tomorrow', async () => dpop(await proofFor(PATH, { iat: Math.floor(Date.now() / 1000) + 86_400 }))],
    ['the type of a token', async () => dpop(await proofFor(PATH, {}, { typ: 'JWT' }))],
    ['a private key', async () => dpop(await proofFor(PATH, {}, { jwk: key.export({ format: 'jwk' }) }))],
    ['a key by address', async () => dpop(await proofFor(PATH, {}, { jwk: undefined, jku: 'http://127.0.0.1:1/' }))],
    ["a thief's signature", async () => dpop(await proofFor(PATH, {}, {}, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))],
    ['the token in place of a proof', async () => dpop(token)],
  ])('%s: 401', async (_, headers) => {
    expect(await ask(PATH, await headers())).toEqual(REFUSED);
  });

  test('nobody is believed about where the request was sent to', async () => {
    const elsewhere = await proofFor(PATH, { htu: `https://evil.example${PATH}` });
    const spoof: readonly (readonly [string, string])[] = [
      ['X-Forwarded-Host', 'evil.example'],
      ['X-Forwarded-Proto', 'https'],
      ['Forwarded', 'host=evil.example;proto=https'],
    ];
    expect(await ask(PATH, [...dpop(elsewhere), ...spoof])).toEqual(REFUSED);
    expect(await ask(PATH, [...dpop(await proofFor(PATH)), ...spoof])).toEqual(LET_IN);
    const bytes = getBytes(PATH, dpop(await proofFor(PATH, { htu: `http://evil.example${PATH}` }))).replace(
      'Host: mayfly',
      'Host: evil.example',
    );
    expect((await sendRaw(world.dev.delivery.url, bytes, 0)).status).toBe(401);
  });

  test('the query is not part of a proof; the console takes no bound token', async () => {
    expect(await ask(`${PATH}/secrets/orders?wait=0s`, dpop(await proofFor(`${PATH}/secrets/orders`)))).toEqual(LET_IN);
    const answer = await fetch(`${world.dev.console.url}/v1/grants`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(401);
  });
});
