import { describe, expect, test } from '@jest/globals';
import { newGrantId, newLeaseRef, OUT_EVENTS, taskId, TOPICS, type OutEvent } from '@mayfly/domain';
import {
  credentialDelivered,
  credentialIssued,
  credentialRevoked,
  factsOf,
  grantClosed,
  grantDenied,
  grantIssued,
  revocationRequested,
  revocationStuck,
  type Credential,
  type Grant,
  type Lease,
} from '@mayfly/grant';

const AT = new Date('2026-01-01T00:00:00Z');
const HIDDEN = 'hidden-3f9a';

const grant: Grant = {
  id: newGrantId(),
  taskId: taskId('etl-0042'),
  tenant: 'default',
  source: 'urn:example:orchestrator',
  state: 'granted',
  agentId: 'spiffe://example.org/agent/etl',
  risk: 0,
  behaviour: 'normal',
  delegationDepth: 0,
  openedAt: AT,
  revokeAttempts: 5,
  policyDigest: 'sha256:one',
  startEventId: 'start-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  sealedToken: `sealed-${HIDDEN}`,
  tokenAccessor: `accessor-${HIDDEN}`,
};
const credential: Credential = {
  grantId: grant.id,
  name: 'orders',
  capability: 'orders-db.read',
  permitted: true,
  decisionId: 'd1',
  policyDigest: 'sha256:one',
  reasons: ['policy-permits'],
  policies: ['p1'],
  fetches: 1,
};
const refused: Credential = { ...credential, name: 'write', permitted: false, decisionId: 'd2', reasons: ['policy-denies'] };
const lease: Lease = {
  ref: newLeaseRef(),
  grantId: grant.id,
  name: 'orders',
  state: 'revoking',
  minter: 'issuer',
  intendedAt: AT,
  vaultLeaseId: `lease-${HIDDEN}`,
  principal: `user-${HIDDEN}`,
  cause: 'task_ended',
  requestedAt: AT,
  confirmedAt: AT,
  proof: { shape: 'revocable', lease: 'vault: invalid lease' },
};
const said = { at: AT };
const all: readonly [string, OutEvent][] = [
  ['grant issued', grantIssued(grant, [credential, refused], said)],
  ['grant denied', grantDenied(grant, [refused], said)],
  ['credential issued', credentialIssued(grant, credential, lease, said)],
  ['credential delivered', credentialDelivered(grant, credential, lease, { id: 'd9', policyDigest: 'sha256:two' }, said)],
  ['revocation requested', revocationRequested(grant, credential, lease, said)],
  ['credential revoked', credentialRevoked(grant, credential, lease, said)],
  ['revocation stuck', revocationStuck(grant, credential, lease, said)],
  ['grant closed', grantClosed(grant, [credential], [lease], said)],
];

describe.each(all)('%s', (_, event) => {
  test('names task, tenant, agent, time and reason, and goes out under the task’s key', () => {
    expect(event.key).toBe('etl-0042');
    expect(event.data).toMatchObject({
      taskId: 'etl-0042',
      tenant: 'default',
      agent: 'spiffe://example.org/agent/etl',
      at: '2026-01-01T00:00:00.000Z',
      reason: expect.stringMatching(/^[a-z_-]+$/),
    });
  });

  test('holds nothing that would let its reader act', () => {
    expect(JSON.stringify(event)).not.toContain(HIDDEN);
  });

  test('continues the task’s trace, and names its cause', () => {
    expect(event).toMatchObject({ traceparent: grant.traceparent, causationId: 'start-1' });
  });
});

test('a revocation says why, since when and what was checked', () => {
  const event = credentialRevoked(grant, credential, lease, { at: AT, causationId: 'end-1' });
  expect(event).toMatchObject({
    type: OUT_EVENTS.credentialRevoked,
    topic: TOPICS.revocations,
    causationId: 'end-1',
    data: { cause: 'task_ended', requestedAt: AT.toISOString(), confirmedAt: AT.toISOString(), proof: lease.proof, leaseRef: lease.ref },
  });
});

test('a delivery carries the decision that was made at the fetch, not the one from the start', () => {
  const event = credentialDelivered(grant, credential, lease, { id: 'd9', policyDigest: 'sha256:two' }, said);
  expect(event.data).toMatchObject({ decisionId: 'd9', policyDigest: 'sha256:two' });
});

test('a partial permit is said to be one', () => {
  expect(grantIssued(grant, [credential], said).data).toMatchObject({ reason: 'permitted' });
  expect(grantIssued(grant, [credential, refused], said).data).toMatchObject({ reason: 'partly-permitted', decisionId: 'd1' });
});

test('what is decided again rests on the declaration and on today’s risk', () => {
  const request = {
    taskId: grant.taskId,
    workflow: { name: 'nightly-etl' },
    agent: { id: 'spiffe://example.org/agent/etl' },
    intent: { purpose: 'test', plan: [] },
    credentials: [],
    risk: 3,
  };
  expect(factsOf({ ...grant, risk: 70 }, request)).toMatchObject({ risk: 70, tenant: 'default', source: grant.source });
});
