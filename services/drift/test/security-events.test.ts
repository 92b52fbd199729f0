import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findGrantByTask, isOffboarded, leasesOf, noteOffboarding } from '@mayfly/store';
import { CompactSign, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { followOffboarded } from '../src/follow-offboarded.js';
import { followSecurityEvent } from '../src/follow-security-event.js';
import { driftOn, KEPT, leaseStates, live, losses } from './world.js';

const ISSUER = 'https://idp.example.org';
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const NOW = AT.getTime() / 1000;
const ETL = 'spiffe://example.org/agent/etl';

let ledger: Ledger;
let digest: string;
let key: JWK;
let stranger: JWK;
let registrations: string;
let tokens = 0;

const newKey = async (kid: string): Promise<JWK> => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'ES256', kid };
};
const sign = async (claims: unknown, header: object = {}, by: JWK = key): Promise<string> =>
  new CompactSign(Buffer.from(typeof claims === 'string' ? claims : JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', kid: by.kid!, typ: 'secevent+jwt', ...header })
    .sign(await importJWK(by));
/** The claims of a token; each with a `jti` of its own unless told otherwise. */
const claims = (type: string, subject: object, event: object = {}, changes: object = {}) => ({
  iss: ISSUER,
  aud: 'mayfly',
  iat: NOW,
  jti: `jti-${(tokens += 1)}`,
  sub_id: subject,
  events: { [type]: { event_timestamp: NOW, ...event } },
  ...changes,
});
/** One for all: reading a policy set takes long. */
let drift: ReturnType<typeof driftOn>;
const on = () => drift;
const send = async (...said: Parameters<typeof claims>) => followSecurityEvent(on(), await sign(claims(...said)));
const states = (id: Parameters<typeof leaseStates>[1]) => leaseStates(ledger.database, id);
const grantOf = (id: string) => findGrantByTask(ledger.database, id);
const ALICE = { initiator: { id: 'alice@example.org', kind: 'human' } } as const;
const email = (address = 'alice@example.org') => ({ format: 'email', email: address });
const session = (id: string) => ({ format: 'opaque', id });

beforeAll(async () => {
  ledger = await startLedger();
  [key, stranger] = await Promise.all([newKey('idp-1'), newKey('idp-1')]);
  const { d: _d, ...pub } = key;
  registrations = `\ntransmitters:\n  ${ISSUER}:\n    tenant: default\n    keys: [${JSON.stringify(pub)}]\n`;
  digest = await applyExample(ledger.database, (files) => ({
    ...files,
    'registrations.yaml': files['registrations.yaml'] + registrations,
  }));
  drift = driftOn(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await ledger.database.run('', `update ledger.task_grant set state = 'closing', prior_state = 'granted' where state = 'granted'`);
});

describe('a risk level', () => {
  test.each([
    ['LOW', 10, KEPT],
    ['MEDIUM', 50, KEPT],
    ['HIGH', 90, { orders: 'revoking: risk_signal', cert: 'active' }],
  ] as const)('%s counts as %i for the live tasks of its subject', async (level, risk, expected) => {
    const [hers, his] = [await live(ledger.database, digest, ALICE), await live(ledger.database, digest)];
    await send(`${CAEP}risk-level-change`, email(), { principal: 'USER', current_level: level });
    expect([(await grantOf(hers.taskId))?.risk, (await grantOf(his.taskId))?.risk]).toEqual([risk, 0]);
    expect([await states(hers.id), await states(his.id)]).toEqual([expected, KEPT]);
  });

  test('that takes something says so: risk', async () => {
    const grant = await live(ledger.database, digest, ALICE);
    await send(`${CAEP}risk-level-change`, email(), { current_level: 'HIGH' });
    expect(await losses(ledger.database, grant.taskId)).toEqual([
      expect.objectContaining({ cause: 'risk_signal', drift: 'risk', risk: 90 }),
    ]);
  });
});

describe('a revoked session', () => {
  const KILLED = { orders: 'revoking: risk_signal', cert: 'revoking: risk_signal' };
  test.each([
    ['a task', (task: string) => session(task)],
    ['an agent', () => ({ format: 'uri', uri: ETL })],
    ['a person by email', () => email()],
    ['a person by account', () => ({ format: 'account', uri: 'acct:alice@example.org' })],
    ['a person by issuer and subject', () => ({ format: 'iss_sub', iss: ISSUER, sub: 'alice@example.org' })],
    [
      'a person by one of several names',
      () => ({ format: 'aliases', identifiers: [{ format: 'phone_number', phone_number: '+1' }, email()] }),
    ],
    ['a task of a person', (task: string) => ({ format: 'complex', user: email(), session: session(task) })],
    [
      'an agent of a person',
      () => ({ format: 'complex', user: email(), application: { format: 'iss_sub', iss: 'spiffe://example.org', sub: ETL } }),
    ],
    ['a whole tenant', () => ({ format: 'complex', tenant: session('default') })],
  ])('that names %s ends those tasks', async (_, subject) => {
    const grant = await live(ledger.database, digest, ALICE);
    await send(`${CAEP}session-revoked`, subject(grant.taskId));
    expect(await states(grant.id)).toEqual(KILLED);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', endCause: 'risk_signal', endDrift: 'session_revoked' });
    expect((await leasesOf(ledger.database, grant.id))[0]).toMatchObject({ drift: 'session_revoked' });
  });

  test.each([
    ['another task', session('another')],
    ['another person', email('bob@example.org')],
    ['the same task of another person', { format: 'complex', user: email('bob@example.org'), session: session('TASK') }],
    ['a device of theirs', { format: 'complex', user: email(), device: session('laptop') }],
    ['a phone number', { format: 'phone_number', phone_number: '+49' }],
    ['another tenant', { format: 'complex', tenant: session('other'), user: email() }],
  ])('that names %s ends nothing, and is no error', async (_, subject) => {
    const grant = await live(ledger.database, digest, ALICE);
    await send(`${CAEP}session-revoked`, JSON.parse(JSON.stringify(subject).replace('TASK', grant.taskId)));
    expect(await states(grant.id)).toEqual(KEPT);
  });

  test('never reaches into another tenant', async () => {
    const grant = await live(ledger.database, digest, ALICE, { tenant: 'other' });
    for (const subject of [email(), session(grant.taskId), { format: 'uri', uri: ETL }]) await send(`${CAEP}session-revoked`, subject);
    expect(await states(grant.id)).toEqual(KEPT);
  });

  test('counts once: what was started again since lives on when it is replayed', async () => {
    const token = await sign(claims(`${CAEP}session-revoked`, email()));
    await followSecurityEvent(on(), token);
    const again = await live(ledger.database, digest, ALICE);
    await followSecurityEvent(on(), token);
    expect(await states(again.id)).toEqual(KEPT);
  });
});

describe('an account', () => {
  test.each(['account-disabled', 'account-purged'])(
    '%s takes what lives on behalf of it, and keeps new tasks from starting, until it is enabled',
    async (type) => {
      const name = `${type}@example.org`;
      const theirs = await live(ledger.database, digest, { initiator: { id: name, kind: 'human' } });
      const other = await live(ledger.database, digest, ALICE);
      await send(`${RISC}${type}`, email(name));
      expect(await states(theirs.id)).toEqual({ orders: 'revoking: risk_signal', cert: 'revoking: risk_signal' });
      expect(await states(other.id)).toEqual(KEPT);
      expect(await grantOf(theirs.taskId)).toMatchObject({ state: 'granted', initiatorOffboarded: true });
      expect((await losses(ledger.database, theirs.taskId))[0]).toMatchObject({
        reasons: ['initiator-offboarded'],
        drift: 'initiator_offboarded',
      });
      expect([await isOffboarded(ledger.database, 'default', name), await isOffboarded(ledger.database, 'other', name)]).toEqual([
        true,
        false,
      ]);
      await send(`${RISC}account-enabled`, email(name), { event_timestamp: NOW + 1 });
      expect(await grantOf(theirs.taskId)).toMatchObject({ initiatorOffboarded: false });
      expect(await isOffboarded(ledger.database, 'default', name)).toBe(false);
    },
  );

  test('that was enabled stays so when an older word comes late', async () => {
    await send(`${RISC}account-enabled`, email('late@example.org'), { event_timestamp: NOW });
    await send(`${RISC}account-disabled`, email('late@example.org'), { event_timestamp: NOW - 60 });
    expect(await isOffboarded(ledger.database, 'default', 'late@example.org')).toBe(false);
  });

  test('of a task that was being admitted when the signal came is found without another hint', async () => {
    const grant = await live(ledger.database, digest, { initiator: { id: 'raced', kind: 'human' } });
    await ledger.database.transaction('test', (tx) =>
      noteOffboarding(tx, { tenant: 'default', names: ['raced'], gone: true, at: AT, issuer: ISSUER, eventId: 'x' }),
    );
    expect(await followOffboarded(on())).toBe(1);
    expect(await followOffboarded(on())).toBe(0);
    expect(await states(grant.id)).toEqual({ orders: 'revoking: risk_signal', cert: 'revoking: risk_signal' });
  });
});

describe('a token', () => {
  const RISK = `${CAEP}risk-level-change`;
  const good = (changes: object = {}) => claims(RISK, email(), { current_level: 'HIGH' }, changes);
  const without = (...names: string[]) => Object.fromEntries(Object.entries(good()).filter(([name]) => !names.includes(name)));

  test.each<[string, string, () => Promise<string> | string]>([
    ['that is none', 'invalid-set', () => 'not a token'],
    ['of three empty parts', 'invalid-set', () => '..'],
    ['without a signature', 'invalid-set', async () => (await sign(good())).replace(/\.[^.]*$/, '.')],
    [
      'that says alg none',
      'invalid-set',
      async () => `${Buffer.from('{"alg":"none","typ":"secevent+jwt"}').toString('base64url')}.${(await sign(good())).split('.')[1]}.AAAA`,
    ],
    ['of another typ', 'invalid-set', () => sign(good(), { typ: 'JWT' })],
    ['without typ', 'invalid-set', () => sign(good(), { typ: undefined })],
    ['of another issuer', 'unregistered-transmitter', () => sign(good({ iss: 'https://mallory.example' }))],
    ['without iss', 'unregistered-transmitter', () => sign(without('iss'))],
    ['by a key that is not registered', 'signer-not-allowed', () => sign(good(), { kid: 'other' })],
    ['by somebody else under a registered kid', 'bad-signature', () => sign(good(), {}, stranger)],
    ['for another installation', 'wrong-audience', () => sign(good({ aud: 'another' }))],
    ['for nobody', 'invalid-set', () => sign(without('aud'))],
    ['with sub', 'invalid-set', () => sign(good({ sub: 'alice' }))],
    ['with exp', 'invalid-set', () => sign(good({ exp: NOW + 60 }))],
    ['without jti', 'invalid-set', () => sign(without('jti'))],
    ['without iat', 'invalid-set', () => sign(without('iat'))],
    ['from the future', 'time-out-of-window', () => sign(good({ iat: NOW + 3600 }))],
    ['of the day before yesterday', 'time-out-of-window', () => sign(good({ iat: NOW - 2 * 86_400 }))],
    ['without events', 'invalid-set', () => sign(without('events'))],
    ['with no event', 'invalid-set', () => sign(good({ events: {} }))],
    ['with two events', 'invalid-set', () => sign(good({ events: { [RISK]: {}, [`${CAEP}session-revoked`]: {} } }))],
    ['with an event that is no object', 'invalid-set', () => sign(good({ events: { [RISK]: 'HIGH' } }))],
    ['with a level that there is none of', 'invalid-set', () => sign(claims(RISK, email(), { current_level: 'EXTREME' }))],
    ['about nobody', 'invalid-set', () => sign(without('sub_id'))],
    ['about somebody without a format', 'invalid-set', () => sign(good({ sub_id: { email: 'alice@example.org' } }))],
    ['about an email that is not there', 'invalid-set', () => sign(good({ sub_id: { format: 'email' } }))],
    ['whose payload is no JSON', 'invalid-set', () => sign('{')],
  ])('%s is parked: %s', async (_, reason, make) => {
    const grant = await live(ledger.database, digest, ALICE);
    await expect(followSecurityEvent(on(), await make())).rejects.toMatchObject({ reason });
    expect(await grantOf(grant.taskId)).toMatchObject({ risk: 0 });
  });

  test('of a jti that was seen with other content is parked', async () => {
    const first = good();
    await followSecurityEvent(on(), await sign(first));
    await expect(followSecurityEvent(on(), await sign({ ...first, iat: NOW + 1 }))).rejects.toMatchObject({ reason: 'event-conflict' });
  });

  test.each([
    ['an event that means nothing here', `${CAEP}device-compliance-change`],
    ['a verification of the stream', 'https://schemas.openid.net/secevent/ssf/event-type/verification'],
  ])('about %s is taken and does nothing', async (_, type) => {
    const grant = await live(ledger.database, digest, ALICE);
    await send(type, email());
    expect([await states(grant.id), await grantOf(grant.taskId)]).toMatchObject([KEPT, { state: 'granted', risk: 0 }]);
  });

  test('leaves evidence of what it said and what came of it', async () => {
    const said = good();
    await followSecurityEvent(on(), await sign(said));
    const [row] = await ledger.database.run<{ fact: { data: object } }>(
      '',
      `select fact from evidence.intake where fact ->> 'kind' = 'dev.mayfly.evidence.security-event.v1' and fact -> 'data' ->> 'eventId' = $1`,
      [said.jti],
    );
    expect(row?.fact.data).toEqual({
      issuer: ISSUER,
      eventId: said.jti,
      event: RISK,
      subject: { initiators: ['alice@example.org'] },
      occurredAt: AT.toISOString(),
      outcome: 'risk',
    });
  });
});
