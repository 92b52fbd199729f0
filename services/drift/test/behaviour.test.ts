import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { findGrantByTask, raiseBehaviour, reinstateBehaviour } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { followBehaviour } from '../src/flow.js';
import { PolicyFollower } from '../src/policy-follower.js';
import { driftOn, KEPT, leaseStates, live, losses } from './world.js';

let ledger: Ledger;
let digest: string;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  // Tasks of earlier tests are none of a test's business.
  await ledger.database.run('', `update ledger.task_grant set state = 'closing', prior_state = 'granted' where state = 'granted'`);
  digest = await applyExample(ledger.database);
});

const states = (id: Parameters<typeof leaseStates>[1]) => leaseStates(ledger.database, id);
const raise = (id: Parameters<typeof raiseBehaviour>[1], to: 'warned' | 'narrowed' | 'suspended') =>
  ledger.database.transaction('test', (tx) => raiseBehaviour(tx, id, to));
const follow = () => followBehaviour(driftOn(ledger.database));

describe('a task whose behaviour changes', () => {
  test.each([
    ['warned', KEPT],
    ['narrowed', { orders: 'active', cert: 'revoking: behaviour_drift' }],
    ['suspended', { orders: 'revoking: behaviour_drift', cert: 'revoking: behaviour_drift' }],
  ] as const)('to %s loses exactly what it may have no more; its neighbours lose nothing', async (to, expected) => {
    const [grant, neighbour] = [await live(ledger.database, digest), await live(ledger.database, digest)];
    await raise(grant.id, to);
    expect(await follow()).toBe(1);
    expect([await states(grant.id), await states(neighbour.id)]).toEqual([expected, KEPT]);
    // The grant stays open, and is decided again only when something changes.
    expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ state: 'granted', behaviour: to });
    expect(await follow()).toBe(0);
  });

  test('says what moved, whatever it was looked at for', async () => {
    const grant = await live(ledger.database, digest);
    await raise(grant.id, 'narrowed');
    await applyExample(ledger.database, (files) => ({
      ...files,
      'policies/more.cedar': '@id("more") forbid (principal, action, resource) when { context.risk > 1000 };',
    }));
    await new PolicyFollower(driftOn(ledger.database)).follow();
    expect(await losses(ledger.database, grant.taskId)).toEqual([
      expect.objectContaining({
        credential: 'cert',
        cause: 'behaviour_drift',
        drift: 'behaviour',
        reasons: ['task-narrowed'],
        intentDigest: grant.intentDigest,
      }),
    ]);
    expect(await states(grant.id)).toEqual({ orders: 'active', cert: 'revoking: behaviour_drift' });
  });

  test('takes its sub-tasks along, and is looked at again when an operator reinstates it', async () => {
    const grant = await live(ledger.database, digest);
    const child = await live(ledger.database, digest, {}, { parentGrantId: grant.id, delegationDepth: 1 });
    await raise(grant.id, 'suspended');
    expect(await follow()).toBe(2);
    expect(await states(child.id)).toEqual({ orders: 'revoking: behaviour_drift', cert: 'revoking: behaviour_drift' });
    await ledger.database.transaction('test', (tx) => reinstateBehaviour(tx, grant.taskId));
    expect(await follow()).toBe(1);
    expect([await findGrantByTask(ledger.database, grant.taskId), await findGrantByTask(ledger.database, child.taskId)]).toMatchObject([
      { behaviour: 'normal' },
      { behaviour: 'suspended' },
    ]);
  });

  test('is raised once, whoever asks how often, and never lowered by it', async () => {
    const grant = await live(ledger.database, digest);
    const raised = await Promise.all(Array.from({ length: 5 }, () => raise(grant.id, 'narrowed')));
    expect(raised.flat()).toHaveLength(1);
    expect(await raise(grant.id, 'warned')).toEqual([]);
    expect((await findGrantByTask(ledger.database, grant.taskId))?.behaviour).toBe('narrowed');
  });
});
