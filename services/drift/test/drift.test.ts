import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { PolicyFiles } from '@mayfly/policy';
import { applyPolicySet, endGrant, findGrantByTask, lockGrant, transitionLease, leasesOf } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { followPolicy, followRisk } from '../src/flow.js';
import { driftOn, KEPT, leaseStates, live, losses, riskSignal } from './world.js';

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

const grantOf = (id: string) => findGrantByTask(ledger.database, id);
const states = (id: Parameters<typeof leaseStates>[1]) => leaseStates(ledger.database, id);
const follow = async (): Promise<number> => {
  let sum = 0;
  for (;;) {
    const count = await followPolicy(driftOn(ledger.database));
    if (count === 0) return sum;
    sum += count;
  }
};
/** The example without the policy of that id. */
const without =
  (id: string) =>
  (files: PolicyFiles): PolicyFiles =>
    Object.fromEntries(
      Object.entries(files).map(([path, text]) => [
        path,
        text
          .split(/(?=@id\()/)
          .filter((policy) => !policy.startsWith(`@id("${id}")`))
          .join(''),
      ]),
    );
const forbidding = (condition: string) => (files: PolicyFiles) => ({
  ...files,
  'policies/more.cedar': `@id("more") forbid (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource) when { ${condition} };`,
});

describe('another policy set', () => {
  test('ends exactly what was lost, with its reasons as evidence; what is kept goes on untouched', async () => {
    const grant = await live(ledger.database, digest);
    const now = await applyExample(ledger.database, without('etl-is-a-service'));
    expect(await follow()).toBe(1);
    expect(await states(grant.id)).toEqual({ orders: 'active', cert: 'revoking: policy_drift' });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'granted', policyDigest: now });
    expect(await losses(ledger.database, grant.taskId)).toEqual([
      expect.objectContaining({ credential: 'cert', capability: 'service.cert', reasons: ['no-policy-permits'], policyDigest: now }),
    ]);
    expect(await follow()).toBe(0);
  });

  test('that changes nothing for a task costs it nothing', async () => {
    const grant = await live(ledger.database, digest);
    const now = await applyExample(ledger.database, forbidding('context.risk == 77'));
    expect(await follow()).toBe(1);
    expect(await states(grant.id)).toEqual(KEPT);
    expect(await grantOf(grant.taskId)).toMatchObject({ policyDigest: now });
  });

  test('with a policy that fails denies: a forbid that errors must not vanish', async () => {
    const [risky, calm] = [await live(ledger.database, digest, {}, { risk: 2 }), await live(ledger.database, digest)];
    await applyExample(ledger.database, forbidding('context.risk * 9223372036854775807 > 1'));
    await follow();
    expect(await states(risky.id)).toEqual({ orders: 'revoking: policy_drift', cert: 'revoking: policy_drift' });
    expect((await losses(ledger.database, risky.taskId))[0]).toMatchObject({ reasons: ['evaluation-error'], policies: ['more'] });
    expect(await states(calm.id)).toEqual(KEPT);
  });

  test('in which the orchestrator, agent or capability is gone takes what rested on them', async () => {
    const grant = await live(ledger.database, digest);
    await applyExample(ledger.database, (files) => ({
      ...files,
      'registrations.yaml': files['registrations.yaml']!.replace(/status: active/, 'status: suspended'),
    }));
    await follow();
    expect(await states(grant.id)).toEqual({ orders: 'revoking: policy_drift', cert: 'revoking: policy_drift' });
    expect((await losses(ledger.database, grant.taskId))[0]).toMatchObject({ reasons: ['agent-suspended'] });
  });

  test('loses also a permit of which nothing is minted, and what is being minted', async () => {
    const grant = await live(ledger.database, digest);
    for (const { ref, name } of await leasesOf(ledger.database, grant.id))
      if (name === 'orders') {
        await transitionLease(ledger.database, ref, 'active', 'revoking', { cause: 'expired' });
        await transitionLease(ledger.database, ref, 'revoking', 'revoked');
      }
    await applyExample(ledger.database, forbidding('true'));
    await follow();
    expect(await states(grant.id)).toEqual({ orders: 'revoked: expired', cert: 'revoking: policy_drift' });
    expect(await losses(ledger.database, grant.taskId)).toHaveLength(2);
  });

  test.each([{ decision: 'PERMIT' }, { decision: true }, { decision: undefined }, {}])(
    '[bad 64] by which the decider answers %j takes everything: only a permit keeps',
    async (answer) => {
      const grant = await live(ledger.database, digest);
      const now = await applyExample(ledger.database, forbidding(`context.risk == ${Math.floor(Math.random() * 1e9)}`));
      const on = driftOn(ledger.database);
      const policies = {
        get: async () => ({ set: { digest: now, capabilities: [], capability: () => undefined }, decider: { decide: async () => ({ reasons: [], policies: [], ...answer }) } }),
      };
      await followPolicy({ ...on, policies: policies as never });
      expect(await states(grant.id)).toEqual({ orders: 'revoking: policy_drift', cert: 'revoking: policy_drift' });
    },
  );

  test('touches no task that has ended', async () => {
    const grant = await live(ledger.database, digest);
    await ledger.database.transaction('test', async (tx) => {
      await endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'revoker', at: AT });
    });
    await applyExample(ledger.database, forbidding('true'));
    expect(await follow()).toBe(0);
    expect(await losses(ledger.database, grant.taskId)).toEqual([]);
    expect(await states(grant.id)).toEqual({ orders: 'revoking: task_ended', cert: 'revoking: task_ended' });
  });

  test('that cannot be read stops the following, and nothing is taken by half an understanding', async () => {
    const grant = await live(ledger.database, digest);
    await ledger.database.transaction('test', (tx) =>
      applyPolicySet(tx, { digest: 'sha256:unreadable', files: { 'catalogue.yaml': '{' }, appliedBy: 'test', at: AT }),
    );
    await expect(follow()).rejects.toMatchObject({ code: 'policy-unavailable', retriable: true });
    expect(await states(grant.id)).toEqual(KEPT);
  });

  test('is followed for every task, page by page, by two replicas at once, and each loss is said once', async () => {
    const grants = await Promise.all(Array.from({ length: 120 }, () => live(ledger.database, digest)));
    await applyExample(ledger.database, without('etl-is-a-service'));
    await Promise.all([follow(), follow()]);
    const some = [grants[0]!, grants[60]!, grants[119]!];
    for (const grant of some) {
      expect(await states(grant.id)).toEqual({ orders: 'active', cert: 'revoking: policy_drift' });
    }
    const [row] = await ledger.database.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.outbox where event ->> 'type' = 'dev.mayfly.credential.revocation-requested.v1' and event ->> 'key' = any($1)`,
      [grants.map(({ taskId }) => taskId)],
    );
    expect(row?.count).toBe(120);
  });
});

describe('a risk signal', () => {
  test('takes what policy denies at that risk, and only that', async () => {
    const grant = await live(ledger.database, digest);
    const signal = riskSignal({ taskId: grant.taskId }, 85);
    await followRisk(driftOn(ledger.database), signal);
    expect(await states(grant.id)).toEqual({ orders: 'revoking: risk_signal', cert: 'active' });
    expect(await grantOf(grant.taskId)).toMatchObject({ risk: 85 });
    const [lease] = (await leasesOf(ledger.database, grant.id)).filter(({ name }) => name === 'orders');
    expect(lease?.causeEventId).toBe(signal.envelope.id);
  });

  test('only ever raises: the higher one counts until the task ends', async () => {
    const grant = await live(ledger.database, digest, {}, { risk: 60 });
    await followRisk(driftOn(ledger.database), riskSignal({ taskId: grant.taskId }, 5));
    expect(await grantOf(grant.taskId)).toMatchObject({ risk: 60 });
    expect(await states(grant.id)).toEqual(KEPT);
  });

  test('about an agent or an initiator means all their live tasks, and nobody else’s', async () => {
    const alice = { initiator: { id: 'alice', kind: 'human' } } as const;
    const [hers, his] = [await live(ledger.database, digest, alice), await live(ledger.database, digest)];
    await followRisk(driftOn(ledger.database), riskSignal({ initiator: 'alice' }, 90));
    expect([(await grantOf(hers.taskId))?.risk, (await grantOf(his.taskId))?.risk]).toEqual([90, 0]);
    await followRisk(driftOn(ledger.database), riskSignal({ agent: 'spiffe://example.org/agent/etl' }, 95));
    expect([(await grantOf(hers.taskId))?.risk, (await grantOf(his.taskId))?.risk]).toEqual([95, 95]);
  });

  test('counts from registered orchestrators only, and only for their own tenant', async () => {
    const [mine, foreign] = [await live(ledger.database, digest), await live(ledger.database, digest, {}, { tenant: 'other' })];
    const on = driftOn(ledger.database);
    await expect(followRisk(on, riskSignal({ taskId: mine.taskId }, 99, { source: 'urn:mallory' }))).rejects.toMatchObject({
      reason: 'unregistered-source',
    });
    await followRisk(on, riskSignal({ taskId: foreign.taskId }, 99));
    expect([(await grantOf(mine.taskId))?.risk, (await grantOf(foreign.taskId))?.risk]).toEqual([0, 0]);
  });

  test('again changes nothing; one that contradicts itself is parked', async () => {
    const grant = await live(ledger.database, digest);
    const on = driftOn(ledger.database);
    const signal = riskSignal({ taskId: grant.taskId }, 85);
    await followRisk(on, signal);
    await followRisk(on, signal);
    const [row] = await ledger.database.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.outbox where event ->> 'type' = 'dev.mayfly.credential.revocation-requested.v1' and event ->> 'key' = $1`,
      [grant.taskId],
    );
    expect(row?.count).toBe(1);
    await expect(followRisk(on, riskSignal({ taskId: grant.taskId }, 1, { id: signal.envelope.id }))).rejects.toMatchObject({
      reason: 'event-conflict',
    });
  });
});
