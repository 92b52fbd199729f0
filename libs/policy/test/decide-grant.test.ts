import { describe, expect, test } from '@jest/globals';
import { newDecisionId, newGrantId, taskId } from '@mayfly/domain';
import type { Credential, Grant } from '@mayfly/grant';
import { decideGrant, type Decider, type LiveGrant } from '../src/index.js';

const AT = new Date('2026-01-01T00:00:00Z');
/** Permits these capabilities, unless the task is the one named, and handing work on unless there is a reason against it. */
const permitting = (capabilities: readonly string[], exceptTask?: string, againstDelegation?: string): Decider => ({
  decide: (question) => {
    const permit =
      question.action === 'delegate'
        ? againstDelegation === undefined
        : 'capability' in question && capabilities.includes(question.capability) && question.task.taskId !== exceptTask;
    const decision = permit ? ('permit' as const) : ('deny' as const);
    return Promise.resolve({
      id: newDecisionId(),
      decision,
      reasons: [againstDelegation ?? 'no-policy-permits'],
      policies: [],
      policyDigest: 'sha256:x',
    } as never);
  },
});
const live = (task: string, permits: Readonly<Record<string, boolean>>, parent?: LiveGrant): LiveGrant => {
  const id = newGrantId();
  const grant: Grant = {
    id,
    taskId: taskId(task),
    tenant: 'default',
    source: 'urn:test',
    state: 'granted',
    request: {
      taskId: taskId(task),
      workflow: { name: 'w' },
      agent: { id: 'a' },
      intent: { purpose: 'p', plan: [] },
      credentials: [],
      risk: 0,
    },
    risk: 0,
    behaviour: 'normal',
    delegationDepth: parent ? parent.grant.delegationDepth + 1 : 0,
    openedAt: AT,
    revokeAttempts: 0,
  };
  const credentials = Object.entries(permits).map(([capability, permitted]): Credential => ({
    grantId: id,
    name: capability,
    capability,
    permitted,
    decisionId: 'd',
    policyDigest: 'sha256:old',
    reasons: [],
    policies: [],
    fetches: 0,
  }));
  return { grant, credentials, parent };
};
const outcome = async (decider: Decider, grant: LiveGrant) =>
  Object.fromEntries(
    (await decideGrant(decider, grant, AT)).map((one) => [
      one.credential.capability,
      one.kept ? 'kept' : one.parentNarrowed ? 'above' : 'lost',
    ]),
  );

describe('a live grant, decided again', () => {
  test('keeps what is permitted and loses the rest; what was denied at its start is not asked again', async () => {
    expect(await outcome(permitting(['read', 'never']), live('t', { read: true, write: true, never: false }))).toEqual({
      read: 'kept',
      write: 'lost',
    });
  });

  test('of a sub-task keeps nothing that the tasks above it lost, at whatever depth', async () => {
    const root = live('root', { read: true, write: true });
    const child = live('child', { read: true, write: true }, root);
    const grandchild = live('grandchild', { read: true }, child);
    const decider = permitting(['read', 'write'], 'root');
    expect(await outcome(decider, child)).toEqual({ read: 'above', write: 'above' });
    expect(await outcome(decider, grandchild)).toEqual({ read: 'above' });
    expect(await outcome(permitting(['read']), grandchild)).toEqual({ read: 'kept' });
    expect(await outcome(permitting(['read']), child)).toEqual({ read: 'kept', write: 'lost' });
  });

  test('without a request, as a tombstone is, has nothing', async () => {
    const { grant, credentials } = live('t', { read: true });
    const { request: _request, ...rest } = grant;
    expect(await decideGrant(permitting(['read']), { grant: rest, credentials }, AT)).toEqual([]);
  });

  test('of a sub-task keeps nothing once its parent may not hand work on, but what the parent keeps when it is only narrowed', async () => {
    const parent = live('parent', { read: true });
    const child = live('child', { read: true }, parent);
    expect(await outcome(permitting(['read']), child)).toEqual({ read: 'kept' });
    expect(await outcome(permitting(['read'], undefined, 'policy-denies'), child)).toEqual({ read: 'lost' });
    expect(await outcome(permitting(['read'], undefined, 'policy-denies'), parent)).toEqual({ read: 'kept' });
    expect(await outcome(permitting(['read'], undefined, 'task-narrowed'), child)).toEqual({ read: 'kept' });
  });
});
