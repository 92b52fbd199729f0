import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock, plusSeconds } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import type { DecisionQuestion, PolicyFiles } from '@mayfly/policy';
import {
  amendLease,
  applyPolicySet,
  credentialsOf,
  currentPolicyDigest,
  endGrant,
  readTaskEntries,
  findGrantByTask,
  lockGrant,
  transitionLease,
  leasesOf,
  unsettledSets,
} from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, capability, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { followRisk } from '../src/flow.js';
import { PolicyFollower } from '../src/policy-follower.js';
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
const untilDone = async (follower: PolicyFollower): Promise<number> => {
  let sum = 0;
  for (;;) {
    const count = await follower.follow();
    if (count === 0) return sum;
    sum += count;
  }
};
const follow = (): Promise<number> => untilDone(new PolicyFollower(driftOn(ledger.database)));
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
      await applyExample(ledger.database, forbidding(`context.risk == ${Math.floor(Math.random() * 1e9)}`));
      const on = driftOn(ledger.database);
      const { set } = await on.policies.get(ledger.database);
      const policies = { get: async () => ({ set, decider: { decide: async () => ({ reasons: [], policies: [], ...answer }) } }) };
      await new PolicyFollower({ ...on, policies: policies as never }).follow();
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

/** The example with another text in one of its files. */
const edited = (file: string, from: string | RegExp, to: string) => (files: PolicyFiles) => {
  const text = files[file]!.replace(from, to);
  if (text === files[file]) throw new Error(`nothing to replace in ${file}`);
  return { ...files, [file]: text };
};
const REGISTRATIONS = 'registrations.yaml';
const ETL_AGENT = 'spiffe://example.org/agent/etl';

describe('what moved is said beside the cause', () => {
  const lost = (drift: string) => ({ orders: `revoking: policy_drift, ${drift}`, cert: `revoking: policy_drift, ${drift}` });
  const kinds = async (id: Parameters<typeof leasesOf>[1]) =>
    Object.fromEntries(
      (await leasesOf(ledger.database, id)).map(({ name, state, cause, drift }) => [
        name,
        [cause ? `${state}: ${cause}` : state, drift].flat().filter(Boolean).join(', '),
      ]),
    );

  test.each<[string, (files: PolicyFiles) => PolicyFiles, Record<string, string>]>([
    ['policy_set', without('etl-is-a-service'), { ...lost('policy_set'), orders: 'active' }],
    ['agent_suspended', edited(REGISTRATIONS, 'status: active', 'status: suspended'), lost('agent_suspended')],
    ['agent_owner_gone', edited(REGISTRATIONS, /$/, '\noffboarded: [data-platform@example.org]\n'), lost('agent_owner_gone')],
    [
      'agent_unregistered',
      (files) => ({
        ...files,
        [REGISTRATIONS]: files[REGISTRATIONS]!.replace(/  spiffe:\/\/example.org\/agent\/etl:\n(    .*\n)+/, '').replaceAll(
          `[${ETL_AGENT}]`,
          '[spiffe://example.org/agent/reporter]',
        ),
      }),
      lost('agent_unregistered'),
    ],
    ['initiator_offboarded', edited(REGISTRATIONS, /$/, '\noffboarded: [alice]\n'), lost('initiator_offboarded')],
    [
      'orchestrator_registration: the workflow is gone',
      edited(REGISTRATIONS, 'name: nightly-etl', 'name: weekly-etl'),
      lost('orchestrator_registration'),
    ],
    [
      'orchestrator_registration: the agent is no longer listed',
      edited(REGISTRATIONS, `agents: [${ETL_AGENT}]`, 'agents: [spiffe://example.org/agent/reporter]'),
      lost('orchestrator_registration'),
    ],
    [
      'orchestrator_registration: the orchestrator is gone',
      edited(REGISTRATIONS, 'urn:example:orchestrator:', 'urn:example:successor:'),
      lost('orchestrator_registration'),
    ],
    [
      'orchestrator_registration: it belongs to another tenant',
      (files) => ({
        ...files,
        [REGISTRATIONS]: files[REGISTRATIONS]!.replaceAll('tenant: default', 'tenant: other').replace('\n  default:', '\n  other:'),
      }),
      lost('orchestrator_registration'),
    ],
    [
      'catalogue: an entry is gone',
      edited('catalogue.yaml', /  service.cert:\n(    .*\n)+/, ''),
      { ...lost('catalogue'), orders: 'active' },
    ],
    ...[
      ['role: orders-read', 'role: orders-peek'],
      ['mount: database\n    role: orders-read', 'mount: database-2\n    role: orders-read'],
      ['vaultPolicy: cap-orders-db.read', 'vaultPolicy: cap-orders-db.read-2'],
      [/(orders-db.read:[^]*?)target: orders/, '$1target: reports'],
    ].map(([from, to]): [string, (files: PolicyFiles) => PolicyFiles, Record<string, string>] => [
      `catalogue: ${String(to).split('\n')[0]}`,
      edited('catalogue.yaml', from!, to as string),
      { ...lost('catalogue'), cert: 'active' },
    ]),
    [
      'catalogue: other parameters',
      edited('catalogue.yaml', 'common_name: task.svc', 'common_name: other.svc'),
      { ...lost('catalogue'), orders: 'active' },
    ],
  ])('%s', async (_, change, expected) => {
    const grant = await live(ledger.database, digest, { initiator: { id: 'alice', kind: 'human' } });
    await applyExample(ledger.database, change);
    await follow();
    expect(await kinds(grant.id)).toEqual(expected);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'granted' });
    const said = (await losses(ledger.database, grant.taskId)).map((loss) => `${String(loss['cause'])}, ${String(loss['drift'])}`);
    expect(said.map((loss) => `revoking: ${loss}`)).toEqual(Object.values(expected).filter((state) => state !== 'active'));
  });

  test('a loss is said once, however often the set changes', async () => {
    const grant = await live(ledger.database, digest);
    await applyExample(ledger.database, without('etl-is-a-service'));
    await follow();
    await applyExample(ledger.database, (files) => forbidding('context.risk == 1')(without('etl-is-a-service')(files)));
    await follow();
    expect(await losses(ledger.database, grant.taskId)).toHaveLength(1);
    expect(await grantOf(grant.taskId)).toMatchObject({ lostCapabilities: ['service.cert'] });
  });
});

describe('a shorter life in the catalogue', () => {
  const shorter = (seconds: number) => edited('catalogue.yaml', /(orders-db.read:[^]*?maxTtlSeconds:) 3600/, `$1 ${seconds}`);
  const ordersOf = async (id: Parameters<typeof leasesOf>[1]) =>
    (await leasesOf(ledger.database, id)).find(({ name }) => name === 'orders')!;
  const withLife = async (seconds: number) => {
    const grant = await live(ledger.database, digest);
    await amendLease(ledger.database, (await ordersOf(grant.id)).ref, ['active'], { expiresAt: plusSeconds(AT, seconds) });
    return grant;
  };
  /** The same moment for everybody: a while after what lives was minted. */
  const later = (seconds: number) => {
    const on = { ...driftOn(ledger.database), clock: new ManualClock(plusSeconds(AT, seconds)) };
    return untilDone(new PolicyFollower(on));
  };

  test('shortens what it finds, and what comes after it', async () => {
    const grant = await withLife(3600);
    await applyExample(ledger.database, shorter(600));
    await later(60);
    expect(await ordersOf(grant.id)).toMatchObject({ state: 'active', expiresAt: plusSeconds(AT, 600) });
    expect((await credentialsOf(ledger.database, grant.id)).find(({ name }) => name === 'orders')?.spec).toMatchObject({
      maxTtlSeconds: 600,
    });
    const shortened = (await readTaskEntries(ledger.database, grant.taskId)).find(
      ({ kind }) => kind === 'dev.mayfly.evidence.lease-shortened.v1',
    );
    expect(shortened?.data).toMatchObject({ credential: 'orders', drift: 'catalogue', to: plusSeconds(AT, 600).toISOString() });
  });

  test('ends what has lived that long already', async () => {
    const grant = await withLife(3600);
    await applyExample(ledger.database, shorter(600));
    await later(601);
    expect(await ordersOf(grant.id)).toMatchObject({ state: 'revoking', cause: 'policy_drift', drift: 'catalogue' });
  });

  test('touches nothing that ends before it, and a longer one gives nothing to who has started', async () => {
    const grant = await withLife(300);
    await applyExample(ledger.database, shorter(600));
    await later(60);
    expect(await ordersOf(grant.id)).toMatchObject({ state: 'active', expiresAt: plusSeconds(AT, 300) });
    await applyExample(ledger.database, shorter(7200));
    await later(60);
    expect((await credentialsOf(ledger.database, grant.id)).find(({ name }) => name === 'orders')?.spec).toMatchObject({
      maxTtlSeconds: 600,
    });
  });

  test('ends what nobody could end then', async () => {
    const grant = await withLife(3600);
    const spec = capability({
      engine: 'ssh',
      shape: 'expiry-only',
      mount: 'ssh',
      role: 'bastion',
      vaultPolicy: 'cap-bastion.ssh',
      maxTtlSeconds: 300,
    });
    const { target: _target, ...bastion } = spec;
    await ledger.database.run(
      '',
      `update ledger.credential set capability = 'bastion.ssh', spec = $2 where grant_id = $1 and name = 'orders'`,
      [grant.id, JSON.stringify({ ...bastion, name: 'bastion.ssh' })],
    );
    await applyExample(ledger.database, edited('catalogue.yaml', 'maxTtlSeconds: 300', 'maxTtlSeconds: 120'));
    await later(60);
    expect(await ordersOf(grant.id)).toMatchObject({ state: 'revoking', drift: 'catalogue' });
  });
});

describe('sub-tasks', () => {
  const beneath = (parent: Grant, agent = ETL_AGENT) =>
    live(ledger.database, digest, { agent: { id: agent } }, { parentGrantId: parent.id, delegationDepth: parent.delegationDepth + 1 });

  test('lose at once what the task above them lost, and only that, however deep', async () => {
    const parent = await live(ledger.database, digest, { initiator: { id: 'alice', kind: 'human' } });
    const child = await beneath(parent);
    const grandchild = await beneath(child);
    const nephew = await live(ledger.database, digest);
    await applyExample(
      ledger.database,
      forbidding(
        'context has initiator && context.initiator == Mayfly::Initiator::"alice" && resource == Mayfly::Capability::"service.cert"',
      ),
    );
    await follow();
    for (const { id } of [child, grandchild]) {
      expect(await states(id)).toEqual({ orders: 'active', cert: 'revoking: policy_drift' });
      expect((await leasesOf(ledger.database, id)).find(({ name }) => name === 'cert')).toMatchObject({ drift: 'parent_narrowed' });
    }
    expect(await losses(ledger.database, grandchild.taskId)).toEqual([
      expect.objectContaining({ reasons: ['exceeds-parent'], drift: 'parent_narrowed' }),
    ]);
    expect(await states(nephew.id)).toEqual(KEPT);
  });

  test('lose by the risk of the task above them what it loses by it', async () => {
    const parent = await live(ledger.database, digest);
    const child = await beneath(parent);
    await followRisk(driftOn(ledger.database), riskSignal({ taskId: parent.taskId }, 85));
    expect(await states(child.id)).toEqual({ orders: 'revoking: risk_signal', cert: 'active' });
    expect(await grantOf(child.taskId)).toMatchObject({ risk: 0 });
  });
});

describe('a set that touches few', () => {
  test('is decided again for those alone; the others keep what they were decided by, and that they stand is noted', async () => {
    const [touched, spared] = [
      await live(ledger.database, digest, { initiator: { id: 'alice', kind: 'human' } }),
      await live(ledger.database, digest),
    ];
    const on = driftOn(ledger.database);
    const asked: string[] = [];
    const policies = {
      get: async (sql: never) => {
        const { set, decider } = await on.policies.get(sql);
        return { set, decider: { decide: (question: DecisionQuestion) => (asked.push(question.task.taskId), decider.decide(question)) } };
      },
    };
    const now = await applyExample(ledger.database, forbidding('context has initiator && context.initiator == Mayfly::Initiator::"alice"'));
    await untilDone(new PolicyFollower({ ...on, policies: policies as never }));
    expect(new Set(asked)).toEqual(new Set([touched.taskId]));
    expect(await states(touched.id)).toEqual({ orders: 'revoking: policy_drift', cert: 'revoking: policy_drift' });
    expect(await states(spared.id)).toEqual(KEPT);
    expect(await grantOf(touched.taskId)).toMatchObject({ policyDigest: now });
    expect(await grantOf(spared.taskId)).toMatchObject({ policyDigest: digest });
    expect(await unsettledSets(ledger.database)).toMatchObject({ digest: now, sets: [] });
    expect(await follow()).toBe(0);
  });

  const aboutAlice = (files: PolicyFiles) => forbidding('context has initiator && context.initiator == Mayfly::Initiator::"alice"')(files);
  const alices = { initiator: { id: 'alice', kind: 'human' } } as const;
  const LOST = { orders: 'revoking: policy_drift', cert: 'revoking: policy_drift' };

  test('finds those as well who are being started under the set before while it comes', async () => {
    await live(ledger.database, digest);
    const follower = new PolicyFollower(driftOn(ledger.database));
    const grant = await ledger.database.transaction('start', async (tx) => {
      expect(await currentPolicyDigest(tx)).toBe(digest);
      await applyExample(ledger.database, aboutAlice);
      // All that can be seen is through; that this is all there is cannot be known yet.
      await untilDone(follower);
      expect(await unsettledSets(ledger.database)).toMatchObject({ sets: [digest] });
      const within = { run: tx.run.bind(tx), transaction: (_: string, work: (sql: typeof tx) => unknown) => work(tx) };
      return live(within as never, digest, alices);
    });
    await untilDone(follower);
    expect(await states(grant.id)).toEqual(LOST);
    expect(await unsettledSets(ledger.database)).toMatchObject({ sets: [] });
  });

  test('is completed by the next process where one died in the middle, and noted by no one before', async () => {
    const grants = [];
    for (let count = 0; count < 120; count += 1) grants.push(await live(ledger.database, digest, alices));
    await live(ledger.database, digest);
    await applyExample(ledger.database, aboutAlice);
    expect(await new PolicyFollower(driftOn(ledger.database)).follow()).toBe(100);
    expect(await unsettledSets(ledger.database)).toMatchObject({ sets: [digest] });
    await follow();
    for (const { id } of grants) expect(await states(id)).toEqual(LOST);
    expect(await unsettledSets(ledger.database)).toMatchObject({ sets: [] });
  });

  test('may be replaced before it is through, by one that takes it back too: each is decided by the last', async () => {
    const [hers, bobs, others] = [
      await live(ledger.database, digest, alices),
      await live(ledger.database, digest, { initiator: { id: 'bob', kind: 'human' } }),
      await live(ledger.database, digest),
    ];
    const follower = new PolicyFollower(driftOn(ledger.database));
    await applyExample(ledger.database, aboutAlice);
    await untilDone(follower);
    const aboutBob = forbidding('context has initiator && context.initiator == Mayfly::Initiator::"bob"');
    await applyExample(ledger.database, aboutBob);
    const half = await follower.follow();
    expect(half).toBeGreaterThan(0);
    expect(await applyExample(ledger.database)).toBe(digest);
    await untilDone(follower);
    const last = await applyExample(ledger.database, aboutBob);
    await untilDone(follower);
    expect(await states(hers.id)).toEqual(LOST);
    expect(await states(bobs.id)).toEqual(LOST);
    expect(await states(others.id)).toEqual(KEPT);
    expect(await unsettledSets(ledger.database)).toMatchObject({ digest: last, sets: [] });
    // Who is started under a set that was gone through in an earlier turn of it is looked at when it goes again.
    await applyExample(ledger.database);
    await untilDone(follower);
    const late = await live(ledger.database, digest, { initiator: { id: 'bob', kind: 'human' } });
    await applyExample(ledger.database, aboutBob);
    await untilDone(follower);
    expect(await states(late.id)).toEqual(LOST);
  });

  test('is decided again for everybody where the set before is not known', async () => {
    const grant = await live(ledger.database, 'sha256:long-gone');
    await applyExample(ledger.database, without('etl-is-a-service'));
    await follow();
    expect(await states(grant.id)).toEqual({ orders: 'active', cert: 'revoking: policy_drift' });
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
