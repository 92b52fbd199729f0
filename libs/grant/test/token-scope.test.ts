import { describe, expect, test } from '@jest/globals';
import { newGrantId, taskId, type Capability } from '@mayfly/domain';
import { mayUse, opens, shallOpen, type Credential, type Grant } from '@mayfly/grant';

const bare: Grant = {
  id: newGrantId(),
  taskId: taskId('etl-0042'),
  tenant: 'default',
  source: 'urn:example:orchestrator',
  state: 'granted',
  risk: 0,
  behaviour: 'normal',
  delegationDepth: 0,
  openedAt: new Date('2026-01-01T00:00:00Z'),
  revokeAttempts: 0,
};
const grant = { ...bare, tokenAccessor: 'accessor' };
const credential = (name: string, capability: string, permitted = true, known = true): Credential => ({
  grantId: bare.id,
  name,
  capability,
  permitted,
  decisionId: 'd1',
  policyDigest: 'sha256:one',
  reasons: [],
  policies: [],
  fetches: 0,
  ...(known && { spec: { name: capability } as Capability }),
});
const credentials = [
  credential('write', 'orders-db.write'),
  credential('read', 'orders-db.read'),
  credential('again', 'orders-db.read'),
  credential('refused', 'mail.send', false),
  credential('unknown', 'not.in-catalogue', true, false),
];
const PERMITTED = ['orders-db.read', 'orders-db.write'];

describe('what a token shall open', () => {
  test('is what was permitted and is known, each once and sorted', () => {
    expect(shallOpen(grant, credentials)).toEqual(PERMITTED);
  });
  test('is not what the grant has lost since', () => {
    expect(shallOpen({ ...grant, lostCapabilities: ['orders-db.write'] }, credentials)).toEqual(['orders-db.read']);
    expect(shallOpen({ ...grant, lostCapabilities: PERMITTED }, credentials)).toEqual([]);
  });
  test('is nothing where nothing was permitted', () => {
    expect(shallOpen(grant, [])).toEqual([]);
  });
});

describe('what a token opens', () => {
  test('is nothing while there is none', () => {
    expect(opens({ ...bare, tokenCapabilities: PERMITTED }, credentials)).toEqual([]);
  });
  test('is what is written down, sorted, whatever was permitted', () => {
    expect(opens({ ...grant, tokenCapabilities: ['orders-db.write', 'b', 'a'] }, credentials)).toEqual(['a', 'b', 'orders-db.write']);
    expect(opens({ ...grant, tokenCapabilities: [] }, credentials)).toEqual([]);
  });
  test('is all that was permitted where nothing is written down, lost or not', () => {
    expect(opens({ ...grant, lostCapabilities: ['orders-db.write'] }, credentials)).toEqual(PERMITTED);
  });
});

test.each<[string, Partial<Grant>, boolean]>([
  ['nothing was lost and nothing is written down', {}, true],
  ['the token opens it', { tokenCapabilities: ['orders-db.read'] }, true],
  ['something else was lost', { lostCapabilities: ['orders-db.write'] }, true],
  ['it was lost', { lostCapabilities: ['orders-db.read'] }, false],
  ['it was lost, though the token still opens it', { lostCapabilities: ['orders-db.read'], tokenCapabilities: ['orders-db.read'] }, false],
  ['the token does not open it', { tokenCapabilities: ['orders-db.write'] }, false],
  ['the token opens nothing', { tokenCapabilities: [] }, false],
])('a capability may be used only while the token opens it and shall: %s', (_, has, may) => {
  expect(mayUse({ ...grant, ...has }, 'orders-db.read')).toBe(may);
});
