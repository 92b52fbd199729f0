import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { createOperatorVerifier, createWorkloadVerifier, readTrust } from '@mayfly/identity';
import type { Trust } from '@mayfly/identity';
import { jwks, newSigner, NOW, sign, startKeyServer } from './issuer.js';
import type { KeyServer, Signer } from './issuer.js';

const ISSUER = 'https://token.actions.example.com';
const clock = new ManualClock(NOW);
let server: KeyServer;
let signer: Signer;
let trust: Trust;

beforeAll(async () => {
  signer = await newSigner('RS256');
  server = await startKeyServer(jwks(signer));
  const keys = { url: server.url };
  trust = readTrust(
    JSON.stringify({
      workloadIssuers: [{ issuer: ISSUER, jwks: keys, subject: 'repo:org/app:*' }],
      operators: { issuer: 'http://127.0.0.1:9000', jwks: keys, audience: 'mayfly-console', rolesClaim: 'realm.roles' },
    }),
    'dev',
  );
});
afterAll(() => server.close());

const workload = (claims: object) => sign(signer, { iss: ISSUER, sub: 'repo:org/app:ref:refs/heads/main', ...claims });
const operator = (claims: object, header = {}) =>
  sign(signer, { iss: 'http://127.0.0.1:9000', sub: 'alice', aud: 'mayfly-console', ...claims }, header);
const causeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'accepted',
    (error: { cause: unknown }) => error.cause,
  );

describe('OIDC tokens of workloads', () => {
  test('prove a workload as issuer#subject', async () => {
    expect(await createWorkloadVerifier(trust, { clock }).verify(await workload({}))).toMatchObject({
      kind: 'oidc',
      id: `${ISSUER}#repo:org/app:ref:refs/heads/main`,
      issuer: ISSUER,
    });
  });
  test.each([
    ['another repository', { sub: 'repo:org/application:x' }, 'bad-subject'],
    ['a subject with a line feed', { sub: 'repo:org/app:x\n' }, 'bad-subject'],
    ['a slash after the issuer', { iss: `${ISSUER}/` }, 'untrusted-issuer'],
    ['a SPIFFE ID that this issuer cannot vouch for', { sub: 'spiffe://example.org/agent/etl' }, 'untrusted-issuer'],
    ['another audience', { aud: 'https://github.com/org' }, 'wrong-audience'],
  ])('are refused: %s', async (_, claims, cause) => {
    expect(await causeOf(createWorkloadVerifier(trust, { clock }).verify(await workload(claims)))).toBe(cause);
  });
});

describe('OIDC tokens of operators', () => {
  test('prove a person and the roles that we know', async () => {
    const verifier = createOperatorVerifier(trust, { clock });
    expect(await verifier.verify(await operator({ realm: { roles: ['admin', 'viewer', 'root'] } }, { typ: 'at+jwt' }))).toEqual({
      id: 'alice',
      roles: ['viewer', 'admin'],
    });
    expect(await verifier.verify(await operator({ realm: 'admin' }))).toEqual({ id: 'alice', roles: [] });
  });
  test.each([
    ['of another issuer', { iss: ISSUER }, {}, 'untrusted-issuer'],
    ['for agents', { aud: 'mayfly' }, {}, 'wrong-audience'],
    ['to log out', {}, { typ: 'logout+jwt' }, 'wrong-type'],
  ])('are refused: %s', async (_, claims, header, cause) => {
    expect(await causeOf(createOperatorVerifier(trust, { clock }).verify(await operator(claims, header)))).toBe(cause);
  });
});
