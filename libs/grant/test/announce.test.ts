import { describe, expect, test } from '@jest/globals';
import { newGrantId, newLeaseRef, OUT_EVENTS, taskId, TOPICS, type Capability, type OutEvent } from '@mayfly/domain';
import {
  credentialDelivered,
  credentialIssued,
  credentialRevoked,
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
const all: readonly [string, () => OutEvent][] = [
  ['grant issued', () => grantIssued(grant, [credential, refused], said)],
  ['grant denied', () => grantDenied(grant, [refused], said)],
  ['credential issued', () => credentialIssued(grant, credential, lease, said)],
  ['credential delivered', () => credentialDelivered(grant, credential, lease, { id: 'd9', policyDigest: 'sha256:two' }, said)],
  ['revocation requested', () => revocationRequested(grant, credential, lease, said)],
  ['credential revoked', () => credentialRevoked(grant, credential, lease, said)],
  ['revocation stuck', () => revocationStuck(grant, credential, lease, said)],
  ['grant closed', () => grantClosed(grant, [credential], [lease], said)],
];

describe.each(all)('%s', (_, announce) => {
  test('names task, tenant, agent, time and reason, and goes out under the task’s key', () => {
    expect(announce().key).toBe('etl-0042');
    expect(announce().data).toMatchObject({
      taskId: 'etl-0042',
      tenant: 'default',
      agent: 'spiffe://example.org/agent/etl',
      at: '2026-01-01T00:00:00.000Z',
      reason: expect.stringMatching(/^[a-z_-]+$/),
    });
  });

  test('holds nothing that would let its reader act', () => {
    expect(JSON.stringify(announce())).not.toContain(HIDDEN);
  });

  test('continues the task’s trace, and names its cause', () => {
    expect(announce()).toMatchObject({ traceparent: grant.traceparent, causationId: 'start-1' });
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

describe('of full records an event says exactly', () => {
  const LATER = new Date('2026-01-01T01:00:00Z');
  const whole: Grant = {
    ...grant,
    deadline: LATER,
    intentDigest: 'sha256:intent',
    tracestate: 'vendor=1',
    endCause: 'policy_drift',
    endDrift: 'catalogue',
    endOutcome: 'cancelled',
  };
  const specified: Credential = { ...credential, spec: { shape: 'revocable', mint: 'on-start' } as Capability };
  const onFetch: Credential = { ...credential, spec: { shape: 'expiry-only', mint: 'on-fetch' } as Capability };
  const ended: Lease = { ...lease, expiresAt: LATER, drift: 'catalogue', quarantinedAt: LATER, lastProblem: 'vault-unavailable' };
  const other: Lease = { ...lease, ref: newLeaseRef(), name: 'other' };

  const task = { taskId: 'etl-0042', tenant: 'default', agent: 'spiffe://example.org/agent/etl', at: AT.toISOString() };
  const about = {
    credential: 'orders',
    capability: 'orders-db.read',
    shape: 'revocable',
    leaseRef: lease.ref,
    decisionId: 'd1',
    policyDigest: 'sha256:one',
  };
  const revocation = { ...about, cause: 'task_ended', drift: 'catalogue', requestedAt: AT.toISOString() };
  const outcomes = [
    {
      name: 'orders',
      capability: 'orders-db.read',
      decision: 'permit',
      decisionId: 'd1',
      reasons: ['policy-permits'],
      policies: ['p1'],
    },
    { name: 'write', capability: 'orders-db.read', decision: 'deny', decisionId: 'd2', reasons: ['policy-denies'], policies: ['p1'] },
  ];

  test.each<[string, () => OutEvent, Record<string, unknown>]>([
    [
      'what was granted, by the decision that permitted it',
      () => grantIssued(whole, [refused, credential], said),
      {
        decisionId: 'd1',
        policyDigest: 'sha256:one',
        reason: 'partly-permitted',
        deadline: LATER.toISOString(),
        intentDigest: 'sha256:intent',
        credentials: outcomes.toReversed(),
      },
    ],
    [
      'what was denied, by the first reason',
      () => grantDenied(whole, [refused], said),
      {
        decisionId: 'd2',
        policyDigest: 'sha256:one',
        reason: 'policy-denies',
        intentDigest: 'sha256:intent',
        credentials: outcomes.slice(1),
      },
    ],
    [
      'what was issued at the start',
      () => credentialIssued(whole, specified, ended, said),
      { ...about, reason: 'minted-on-start', expiresAt: LATER.toISOString() },
    ],
    [
      'what was issued at a fetch',
      () => credentialIssued(whole, onFetch, ended, said),
      { ...about, shape: 'expiry-only', reason: 'minted-on-fetch', expiresAt: LATER.toISOString() },
    ],
    [
      'what was delivered, and by which decision',
      () => credentialDelivered(whole, specified, ended, { id: 'd9', policyDigest: 'sha256:two' }, said),
      {
        ...about,
        decisionId: 'd9',
        policyDigest: 'sha256:two',
        intentDigest: 'sha256:intent',
        reason: 'fetched',
        fetch: 1,
        expiresAt: LATER.toISOString(),
      },
    ],
    ['what shall die, and why', () => revocationRequested(whole, specified, ended, said), { ...revocation, reason: 'task_ended' }],
    [
      'what is dead, and what was checked',
      () => credentialRevoked(whole, specified, ended, said),
      { ...revocation, reason: 'confirmed-dead', confirmedAt: AT.toISOString(), proof: lease.proof },
    ],
    [
      'what could not be killed yet',
      () => revocationStuck(whole, specified, ended, said),
      { ...revocation, reason: 'vault-unavailable', attempts: 5, quarantinedAt: LATER.toISOString() },
    ],
    [
      'how all of it ended, each lease under its own credential',
      () => grantClosed(whole, [specified, refused], [other, ended], said),
      {
        policyDigest: 'sha256:one',
        reason: 'policy_drift',
        drift: 'catalogue',
        outcome: 'cancelled',
        credentials: [
          {
            name: 'orders',
            capability: 'orders-db.read',
            shape: 'revocable',
            leases: [{ leaseRef: lease.ref, ended: 'revoking', expiresAt: LATER.toISOString() }],
          },
          { name: 'write', capability: 'orders-db.read', leases: [] },
        ],
      },
    ],
  ])('%s', (_, announce, data) => {
    const event = announce();
    expect(event.data).toEqual({ ...task, ...data });
    expect(event.tracestate).toBe('vendor=1');
  });
});

describe('of records that hold only what must be there', () => {
  const { traceparent: _trace, startEventId: _start, ...untraced } = grant;
  const { cause: _cause, requestedAt: _requested, confirmedAt: _confirmed, proof: _proof, ...fresh } = lease;

  test('an event has no trace and no cause of its own', () => {
    const event = revocationRequested(untraced, credential, fresh, said);
    expect(Object.keys(event).sort()).toEqual(['data', 'id', 'key', 'time', 'topic', 'type']);
  });

  test.each<[string, () => OutEvent, Record<string, unknown>]>([
    ['a denial of nothing is called denied', () => grantDenied(grant, [], said), { reason: 'denied', decisionId: undefined }],
    [
      'a grant without a permit names no decision',
      () => grantIssued(grant, [refused], said),
      { decisionId: undefined, deadline: undefined },
    ],
    ['what has no entry was minted on fetch', () => credentialIssued(grant, credential, fresh, said), { reason: 'minted-on-fetch' }],
    ['a death has no date', () => credentialRevoked(grant, credential, fresh, said), { requestedAt: undefined, confirmedAt: undefined }],
    ['what is stuck is stuck for a reason nobody knows', () => revocationStuck(grant, credential, fresh, said), { reason: 'unknown' }],
    ['an end without a cause is the task’s own', () => grantClosed(grant, [], [], said), { reason: 'task_ended', credentials: [] }],
  ])('%s', (_, announce, data) => {
    const event = announce();
    expect(event.data).toMatchObject(data);
  });
});
