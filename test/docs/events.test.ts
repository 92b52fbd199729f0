import { describe, expect, test } from '@jest/globals';
import { CAUSES, DRIFTS, IN_EVENTS, OUT_EVENTS, type OutEvent } from '@mayfly/domain';
import * as announce from '@mayfly/grant';
import { chapter, doc, fieldsOf } from './markdown.js';

const text = doc('docs/events.md');
const common = fieldsOf(chapter(text, 'Out').split('###')[0] as string);

const at = new Date('2026-01-01T00:00:00Z');
const said = { at, causationId: 'e1' };
const grant = {
  taskId: 't',
  tenant: 'default',
  agentId: 'a',
  policyDigest: 'd',
  intentDigest: 'i',
  deadline: at,
  endCause: 'policy_drift',
  endDrift: 'agent_suspended',
  endOutcome: 'succeeded',
  revokeAttempts: 5,
} as unknown as announce.Grant;
const credential = {
  name: 'orders',
  capability: 'c',
  permitted: true,
  decisionId: 'x',
  policyDigest: 'd',
  reasons: ['r'],
  policies: ['p'],
  fetches: 1,
  spec: { shape: 'revocable', mint: 'on-start' },
} as unknown as announce.Credential;
const lease = {
  ref: 'l',
  name: 'orders',
  state: 'revoked',
  expiresAt: at,
  cause: 'policy_drift',
  drift: 'catalogue',
  requestedAt: at,
  confirmedAt: at,
  quarantinedAt: at,
  proof: { shape: 'revocable' },
  lastProblem: 'x',
} as unknown as announce.Lease;

/** One of each event that is made from the ledger. */
const events: readonly OutEvent[] = [
  announce.grantIssued(grant, [credential], said),
  announce.grantDenied(grant, [credential], said),
  announce.credentialIssued(grant, credential, lease, said),
  announce.credentialDelivered(grant, credential, lease, { id: 'x', policyDigest: 'd' }, said),
  announce.revocationRequested(grant, credential, lease, said),
  announce.credentialRevoked(grant, credential, lease, said),
  announce.revocationStuck(grant, credential, lease, said),
  announce.grantClosed(grant, [credential], [lease], said),
];

describe('docs/events.md', () => {
  test.each([...new Set([...Object.values(IN_EVENTS), ...Object.values(OUT_EVENTS)])])('describes %s', (type) => {
    expect(chapter(text, type)).toMatch(/Topic `mayfly\.\w+`/);
  });

  test.each(events.map((event) => [event.type, event] as const))('tells every field of %s, and no other', (type, { data, topic }) => {
    const present = Object.keys(data).filter((key) => data[key] !== undefined);
    expect([...common, ...fieldsOf(chapter(text, type))].sort()).toEqual(present.sort());
    expect(chapter(text, type)).toContain(`Topic \`mayfly.${topic}\``);
  });

  test('names every cause', () => {
    const named = chapter(text, OUT_EVENTS.revocationRequested).match(/Causes: (.*?)\n\n/s)?.[1] ?? '';
    expect([...named.matchAll(/`(\w+)`/g)].map(([, cause]) => cause)).toEqual([...CAUSES]);
  });

  test('names every drift', () => {
    const named = chapter(text, OUT_EVENTS.revocationRequested).match(/Drifts, (.*)/s)?.[1] ?? '';
    expect([...named.matchAll(/`(\w+)`/g)].map(([, drift]) => drift)).toEqual([...DRIFTS]);
  });
});
