import { describe, expect, test } from '@jest/globals';
import { readSignal } from '@mayfly/task-events';
import { structured } from './records.js';

const RISK = { type: 'dev.mayfly.signal.risk.v1' };
const CHANGED = { type: 'dev.mayfly.signal.policy-changed.v1' };
const digest = `sha256:${'0a'.repeat(32)}`;

describe('signals', () => {
  test.each([{ taskId: 't' }, { agent: 'spiffe://example.org/agent/etl' }, { initiator: 'alice@example.org' }])(
    'say whose risk changed: %j',
    (subject) => {
      expect(readSignal(structured({ subject, risk: 70.1, reason: 'odd queries' }, RISK))).toMatchObject({
        kind: 'risk',
        subject,
        risk: 71,
        reason: 'odd queries',
      });
    },
  );
  test('say that the policy set changed', () => {
    expect(readSignal(structured({ policyDigest: digest }, CHANGED))).toMatchObject({ kind: 'policy-changed', policyDigest: digest });
    expect(readSignal(structured(undefined, CHANGED))).toMatchObject({ kind: 'policy-changed' });
  });
  test.each([
    ['no subject', { risk: 1 }, RISK, 'invalid-data'],
    ['two subjects', { subject: { taskId: 't', agent: 'a' }, risk: 1 }, RISK, 'invalid-data'],
    ['a subject of another kind', { subject: { tenant: 't' }, risk: 1 }, RISK, 'invalid-data'],
    ['a task id with a path', { subject: { taskId: '../t' }, risk: 1 }, RISK, 'invalid-task-id'],
    ['no risk', { subject: { taskId: 't' } }, RISK, 'invalid-data'],
    ['a digest that is none', { policyDigest: 'latest' }, CHANGED, 'invalid-data'],
    ['another type', {}, {}, 'unknown-type'],
  ])('are refused with a stable reason: %s', (_, data, changes, reason) => {
    expect(() => readSignal(structured(data, changes))).toThrow(expect.objectContaining({ reason }));
  });
});
