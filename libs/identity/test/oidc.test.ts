import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { createOperatorVerifier, createWorkloadVerifier, readTrust, ROLES } from '@mayfly/identity';
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

const workload = (claims: object, header = {}) => sign(signer, { iss: ISSUER, sub: 'repo:org/app:ref:refs/heads/main', ...claims }, header);
const operator = (claims: object, header = {}) =>
  sign(signer, { iss: 'http://127.0.0.1:9000', sub: 'alice', aud: 'mayfly-console', ...claims }, header);
const causeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'accepted',
    (error: { cause?: unknown }) => error.cause ?? error,
  );
/** Trusts the issuer for these subjects. */
const ofSubjects = (subject: string | undefined) =>
  createWorkloadVerifier(
    { ...trust, workloadIssuers: [{ issuer: ISSUER, jwks: { url: server.url }, ...(subject && { subject }) }] },
    { clock },
  );
/** Reads roles from this claim. */
const ofRoles = (rolesClaim: string) => createOperatorVerifier({ operators: { ...trust.operators!, rolesClaim } } as Trust, { clock });

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
    ['no issuer', { iss: undefined }, 'untrusted-issuer'],
    ['no subject', { sub: undefined }, 'bad-claims'],
  ])('are refused: %s', async (_, claims, cause) => {
    expect(await causeOf(createWorkloadVerifier(trust, { clock }).verify(await workload(claims)))).toBe(cause);
  });
  test.each<[string | undefined, string, string]>([
    [undefined, 'anybody', 'accepted'],
    ['etl', 'etl', 'accepted'],
    ['etl', 'etl2', 'bad-subject'],
    ['etl', 'et', 'bad-subject'],
    ['etl', 'ETL', 'bad-subject'],
    ['etl*', 'etl', 'accepted'],
    ['etl*', 'etl2', 'accepted'],
    ['etl*', 'et', 'bad-subject'],
    ['*', 'anybody', 'accepted'],
    [undefined, 'urn:spiffe:etl', 'accepted'],
  ])('of the subjects %s: %s is %s', async (pattern, sub, outcome) => {
    expect(await causeOf(ofSubjects(pattern).verify(await workload({ sub })))).toBe(outcome);
  });
  test.each([
    [undefined, 'accepted'],
    ['JWT', 'accepted'],
    ['JOSE', 'accepted'],
    ['at+jwt', 'accepted'],
    ['application/at+jwt', 'accepted'],
    ['', 'wrong-type'],
    ['jwt', 'wrong-type'],
    ['logout+jwt', 'wrong-type'],
    ['secevent+jwt', 'wrong-type'],
    ['dpop+jwt', 'wrong-type'],
  ])('of the type %s are %s', async (typ, outcome) => {
    expect(await causeOf(createWorkloadVerifier(trust, { clock }).verify(await workload({}, { typ })))).toBe(outcome);
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
    [undefined, 'accepted'],
    ['JWT', 'accepted'],
    ['at+jwt', 'accepted'],
    ['application/at+jwt', 'accepted'],
    ['JOSE', 'wrong-type'],
    ['secevent+jwt', 'wrong-type'],
  ])('of the type %s are %s', async (typ, outcome) => {
    expect(await causeOf(createOperatorVerifier(trust, { clock }).verify(await operator({}, { typ })))).toBe(outcome);
  });
  test.each<[string, string, object, readonly string[]]>([
    ['at the top', 'roles', { roles: ['viewer'] }, ['viewer']],
    ['deep inside, in our order', 'a.b.c', { a: { b: { c: ['admin', 'operator', 'approver', 'viewer'] } } }, [...ROLES]],
    ['of a claim that is not there', 'roles', {}, []],
    ['of an object that is not there', 'a.b.c', {}, []],
    ['of null', 'a.b', { a: null }, []],
    ['of a text', 'a.b', { a: 'admin' }, []],
    ['of a list', 'a.b', { a: ['admin'] }, []],
    ['that are one text', 'roles', { roles: 'admin' }, []],
    ['that are written otherwise', 'roles', { roles: ['Admin', 'admin ', ['admin'], { admin: true }] }, []],
    ['of what every object has', 'constructor.prototype', {}, []],
  ])('have the roles %s', async (_, rolesClaim, claims, roles) => {
    expect(await ofRoles(rolesClaim).verify(await operator(claims))).toEqual({ id: 'alice', roles });
  });
  test('of another issuer cause no request for keys', async () => {
    const verifier = createOperatorVerifier(trust, { clock, fetch: () => Promise.reject(new Error('a request')) });
    expect(await causeOf(verifier.verify(await operator({ iss: ISSUER })))).toBe('untrusted-issuer');
    expect(await causeOf(verifier.verify(await operator({ iss: undefined })))).toBe('untrusted-issuer');
    expect(await causeOf(verifier.verify(await operator({})))).toBe('keys-unavailable');
  });
  test.each([
    ['of another issuer', { iss: ISSUER }, {}, 'untrusted-issuer'],
    ['for agents', { aud: 'mayfly' }, {}, 'wrong-audience'],
    ['to log out', {}, { typ: 'logout+jwt' }, 'wrong-type'],
    ['that are bound to a key', { cnf: { jkt: 'a' } }, {}, 'no-proof'],
  ])('are refused: %s', async (_, claims, header, cause) => {
    expect(await causeOf(createOperatorVerifier(trust, { clock }).verify(await operator(claims, header)))).toBe(cause);
  });
});

describe('a workload verifier is ready', () => {
  const up = { url: 'https://up.example/keys' };
  const down = { url: 'https://down.example/keys' };
  const ready = (trusted: Partial<Trust>): Promise<void> => {
    const fetch = (async (url: string) =>
      url === up.url ? new Response('{"keys":[]}') : Promise.reject(new Error('away'))) as typeof globalThis.fetch;
    return createWorkloadVerifier({ audience: 'mayfly', trustDomains: [], workloadIssuers: [], ...trusted }, { clock, fetch }).ready();
  };
  const domain = (name: string, bundle: typeof up) => ({ name, bundle });
  const issuer = (name: string, jwks: typeof up) => ({ issuer: name, jwks });

  test.each<[string, Partial<Trust>]>([
    ['a trust domain', { trustDomains: [domain('a', up)] }],
    ['an issuer', { workloadIssuers: [issuer('a', up)] }],
    ['one of many', { trustDomains: [domain('a', down), domain('b', down)], workloadIssuers: [issuer('a', down), issuer('b', up)] }],
  ])('while there are keys of %s', async (_, trusted) => {
    expect(await ready(trusted)).toBeUndefined();
  });
  test.each<[string, Partial<Trust>]>([
    ['of nobody whom it trusts', { trustDomains: [domain('a', down)], workloadIssuers: [issuer('a', down)] }],
    ['of nobody, because it trusts nobody', {}],
  ])('never while there are keys %s', async (_, trusted) => {
    await expect(ready(trusted)).rejects.toMatchObject({
      code: 'keys-unavailable',
      status: 503,
      retriable: true,
      message: 'the keys of those who vouch for identities cannot be had; try again shortly',
    });
  });
});
