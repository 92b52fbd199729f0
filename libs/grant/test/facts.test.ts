import { describe, expect, test } from '@jest/globals';
import { newGrantId, taskId, type TaskStart } from '@mayfly/domain';
import { factsOf, type Grant } from '@mayfly/grant';

const grant: Grant = {
  id: newGrantId(),
  taskId: taskId('etl-0042'),
  tenant: 'acme',
  source: 'urn:example:orchestrator',
  state: 'granted',
  risk: 70,
  behaviour: 'warned',
  delegationDepth: 1,
  openedAt: new Date('2026-01-01T00:00:00Z'),
  revokeAttempts: 0,
};
const request: TaskStart = {
  taskId: grant.taskId,
  workflow: { name: 'nightly-etl', version: '7' },
  agent: { id: 'spiffe://example.org/agent/etl' },
  intent: { purpose: 'test', plan: [] },
  credentials: [{ name: 'orders', capability: 'orders-db.read' }],
  risk: 3,
};
const bare = {
  taskId: 'etl-0042',
  tenant: 'acme',
  source: 'urn:example:orchestrator',
  workflow: 'nightly-etl',
  agent: 'spiffe://example.org/agent/etl',
  intent: request.intent,
  risk: 70,
  delegationDepth: 1,
  behaviour: 'warned',
};

describe('what is decided again', () => {
  test('rests on the declaration, and on today’s risk and behaviour; what was not said is not there', () => {
    expect(factsOf(grant, request)).toStrictEqual(bare);
  });

  test.each<[string, Partial<Grant>, Partial<TaskStart>, object]>([
    ['its initiator', {}, { initiator: { id: 'jane', kind: 'human' } }, { initiator: { id: 'jane', kind: 'human' } }],
    ['that its initiator has left', { initiatorOffboarded: true }, {}, { initiatorOffboarded: true }],
    ['its parent', {}, { parentTaskId: taskId('etl-0041') }, { parentTaskId: 'etl-0041' }],
    ['its attempt', {}, { attempt: 2 }, { attempt: 2 }],
    ['even an attempt that a check for truth would lose', {}, { attempt: 0 }, { attempt: 0 }],
  ])('rests on %s', (_, stored, declared, facts) => {
    expect(factsOf({ ...grant, ...stored }, { ...request, ...declared })).toStrictEqual({ ...bare, ...facts });
  });

  test('does not know of an initiator who has not left', () => {
    expect(factsOf({ ...grant, initiatorOffboarded: false }, request)).toStrictEqual(bare);
  });
});
