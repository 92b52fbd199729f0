import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock, plusSeconds, type TaskStart } from '@mayfly/domain';
import { readPolicyFiles, readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { noteVaultDigest, transitionLease } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, granted, task } from '../../../libs/store/test/ledger.js';
import { many, startConsole, type Console } from './world.js';

const clock = new ManualClock(plusSeconds(AT, 3 * 86_400));
let world: Console;
let example: PolicyFiles;
let current: string;
beforeAll(async () => {
  example = await readPolicyFiles('deploy/policies/example');
  world = await startConsole({ clock });
}, 60_000);
afterAll(() => world?.close());
beforeEach(async () => {
  await world.database.run('', 'truncate ledger.task_grant, ledger.credential, ledger.lease cascade');
  current = await applyExample(world.database);
});

const alice = { initiator: { id: 'alice', kind: 'human' } } as const;
const live = (start: Partial<TaskStart> = {}, more: object = {}) =>
  granted(world.database, { start: task(start), policyDigest: current, ...more });
/** The example with one policy more. */
const forbidding = (condition: string, actions = '"mint", "fetch"'): PolicyFiles => ({
  ...example,
  'policies/more.cedar': `@id("more") forbid (principal, action in [${actions.replace(/"(\w+)"/g, 'Mayfly::Action::"$1"')}], resource) when { ${condition} };`,
});
const ALICE = 'context has initiator && context.initiator == Mayfly::Initiator::"alice"';
const plan = (body: object, token = 'operator') => world.call({ method: 'POST', path: 'policies/plan', body }, token);
/** A digest of everything that a plan could have changed. */
const everything = async () =>
  JSON.stringify(
    await Promise.all(
      [
        'ledger.task_grant',
        'ledger.credential',
        'ledger.lease',
        'ledger.outbox',
        'evidence.intake',
        'policy.set',
        'policy.current',
        'policy.switch',
      ].map((name) =>
        world.database.run('', `select md5(coalesce(string_agg(t::text, ' ' order by t::text), '')) as digest from ${name} t`),
      ),
    ),
  );

describe('a plan', () => {
  test('says who would lose what, and why, and changes nothing', async () => {
    const hers = [await live(alice), await live(alice)];
    await live();
    const before = await everything();
    const { status, body } = await plan({ files: forbidding(ALICE) });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      current,
      usable: true,
      days: 7,
      live: { grants: 3, leases: 3 },
      lost: {
        total: { leases: 2, permits: 2, grants: 2 },
        rows: [
          {
            agent: 'spiffe://example.org/agent/etl',
            initiator: 'alice',
            capability: 'orders-db.read',
            reasons: ['policy-denies'],
            policies: ['more'],
            counts: { leases: 2, permits: 2 },
          },
        ],
        more: false,
      },
      gained: { total: { permits: 0 }, rows: [] },
      flipped: { total: { decisions: 3, toDeny: 2, toPermit: 0 } },
    });
    expect(await everything()).toBe(before);
    expect(hers).toHaveLength(2);
  });

  test('counts a permit that is lost without a lease, and no lease that is over', async () => {
    const { lease } = await live(alice);
    await transitionLease(world.database, lease.ref, 'active', 'revoking', { cause: 'agent_release' });
    expect((await plan({ files: forbidding(ALICE) })).body['lost'].total).toEqual({ leases: 0, permits: 1, grants: 1 });
  });

  test('of the set in force is empty, whatever is live', async () => {
    await live(alice);
    expect((await plan({ files: example })).body).toMatchObject({
      lost: { total: { leases: 0 }, rows: [] },
      gained: { rows: [] },
      flipped: { rows: [] },
    });
  });

  test('decides recorded starts of the last days with the facts of then: the risk that was declared, the moment of the decision', async () => {
    // Risk rose to 90 since; declared were 12. It was Thursday, 2026-01-01.
    await live({ risk: 12 }, { risk: 90 });
    await live({ risk: 40 }, { openedAt: plusSeconds(AT, -10 * 86_400) });
    const flips = async (condition: string, days: number) =>
      (await plan({ files: forbidding(condition, '"mint"'), days })).body['flipped'].total;
    expect(await flips('context.risk == 12', 7)).toEqual({ decisions: 1, toDeny: 1, toPermit: 0 });
    expect(await flips('context.risk == 90', 7)).toEqual({ decisions: 1, toDeny: 0, toPermit: 0 });
    expect(await flips('context.at < datetime("2026-01-02")', 7)).toEqual({ decisions: 1, toDeny: 1, toPermit: 0 });
    expect(await flips('context.risk == 40', 30)).toEqual({ decisions: 2, toDeny: 1, toPermit: 0 });
    expect(await flips('true', 0)).toEqual({ decisions: 0, toDeny: 0, toPermit: 0 });
  });

  test('does not blame policy for what it did not decide: a quota, a breaker, a kill switch', async () => {
    const { grant } = await live();
    await world.database.run('', `update ledger.credential set permitted = false, reasons = '{quota-exceeded}' where grant_id = $1`, [
      grant.id,
    ]);
    expect((await plan({ files: forbidding('true') })).body['flipped'].total).toEqual({ decisions: 1, toDeny: 0, toPermit: 0 });
  });

  test('foretells what a digest means that Vault does not have: leases that end with `revoke`, fetches that are denied without', async () => {
    await live();
    const [found, other] = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`) as [string, string];
    const declaring = (digest: string, more = ''): PolicyFiles => ({
      ...example,
      'catalogue.yaml': example['catalogue.yaml']!.replace(/(cap-orders-db.read\n\s+vaultDigest: )\S+/, `$1${digest}${more}`),
    });
    const compared = (digest: string) =>
      world.database.transaction('test', (tx) =>
        noteVaultDigest(tx, { capability: readPolicySet(declaring(digest)).capability('orders-db.read')!, found, at: AT }),
      );
    const lost = async (files: PolicyFiles) => (await plan({ files })).body['lost'];
    const revoke = '\n    onVaultDrift: revoke';
    try {
      current = await applyExample(world.database, () => declaring(found));
      await compared(found);
      await world.database.run('', 'update ledger.task_grant set policy_digest = $1', [current]);
      expect(await lost(declaring(other, revoke))).toMatchObject({
        total: { leases: 1, permits: 1, grants: 1 },
        rows: [{ capability: 'orders-db.read', reasons: ['vault-drift'], policies: [] }],
      });
      expect((await lost(declaring(other))).total).toEqual({ leases: 0, permits: 1, grants: 1 });
      expect((await lost(declaring(found, revoke))).rows).toEqual([]);
      // In force by now and compared: fetches are denied already, so only leases are left to lose, and back is a gain.
      current = await applyExample(world.database, () => declaring(other));
      await compared(other);
      await world.database.run('', 'update ledger.task_grant set policy_digest = $1', [current]);
      expect((await lost(declaring(other))).rows).toEqual([]);
      expect((await lost(declaring(other, revoke))).total).toEqual({ leases: 1, permits: 0, grants: 1 });
      expect((await plan({ files: declaring(found) })).body).toMatchObject({
        lost: { rows: [] },
        gained: { total: { permits: 1 } },
        flipped: { rows: [] },
      });
    } finally {
      await world.database.run('', 'truncate ledger.vault_digest');
    }
  });

  test('of the set in force flips nothing, whatever has become of the tasks since, and whatever denied them', async () => {
    const bob = { initiator: { id: 'bob', kind: 'human' } } as const;
    await live();
    for (const changes of [`behaviour = 'suspended'`, `behaviour = 'narrowed'`, 'initiator_offboarded = true', 'risk = 99']) {
      const { grant } = await live(bob);
      await world.database.run('', `update ledger.task_grant set ${changes} where id = $1`, [grant.id]);
    }
    for (const reason of [
      'vault-drift',
      'task-narrowed',
      'task-suspended',
      'pdp-unavailable',
      'quota-exceeded',
      'breaker-open',
      'exceeds-parent',
    ]) {
      const { grant } = await live();
      await world.database.run('', 'update ledger.credential set permitted = false, reasons = $2 where grant_id = $1', [
        grant.id,
        [reason],
      ]);
    }
    expect((await plan({ files: example })).body['flipped'].total).toEqual({ decisions: 12, toDeny: 0, toPermit: 0 });
    // And what they are asked about is policy all the same.
    expect((await plan({ files: forbidding('true', '"mint"') })).body['flipped'].total).toEqual({ decisions: 12, toDeny: 5, toPermit: 0 });
  });

  test('is made of a set that was applied before, and of one that mends a broken one', async () => {
    await live(alice);
    const forbids = await applyExample(world.database, () => forbidding(ALICE));
    await applyExample(world.database);
    expect((await plan({ policyDigest: forbids })).body).toMatchObject({ policyDigest: forbids, lost: { total: { leases: 1 } } });
    expect(await plan({ policyDigest: `sha256:${'0'.repeat(64)}` })).toMatchObject({ status: 404, body: { code: 'unknown-policy-set' } });
    await world.database.run('', `update policy.set set files = '{}' where digest = $1`, [current]);
    expect((await plan({ files: example })).body).toMatchObject({ current, usable: false, lost: { total: { leases: 0 } } });
    await world.database.run('', 'update policy.set set files = $2 where digest = $1', [current, JSON.stringify(example)]);
  });

  test.each([
    ['nothing to plan', {}],
    ['two things to plan', { files: {}, policyDigest: `sha256:${'0'.repeat(64)}` }],
    ['days that are none', { files: {}, days: -1 }],
  ])('%s is refused', async (_, body) => {
    expect(await plan(body)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  test('of a set that is wrong says what is wrong', async () => {
    expect(await plan({ files: { ...example, 'catalogue.yaml': '{' } })).toMatchObject({
      status: 400,
      body: { code: 'invalid-policy-set' },
    });
  });
});

describe('a long plan', () => {
  const stream = async (body: object) => {
    const response = await world.ask({ method: 'POST', path: 'policies/plan', body }, 'admin', { accept: 'application/x-ndjson' });
    return {
      response,
      lines: (await response.text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, any>),
    };
  };

  test('is told page by page while it is made, each loss in full, and ends with the whole', async () => {
    const grants = await many(230, (index) => live(index % 2 ? alice : {}));
    const { response, lines } = await stream({ files: forbidding(ALICE) });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const progress = lines.flatMap((line) => (line['progress'] ? [line['progress']] : []));
    expect(progress.map(({ phase, done }) => `${phase} ${done}`)).toEqual([
      'live 100',
      'live 200',
      'live 230',
      'history 100',
      'history 200',
      'history 230',
    ]);
    const lost = lines.flatMap((line) => (line['lost'] ? [line['lost']] : []));
    expect(new Set(lost.flatMap(({ leaseRefs }) => leaseRefs))).toEqual(
      new Set(grants.filter((_, index) => index % 2).map(({ lease }) => lease.ref)),
    );
    expect(lines.at(-1)?.['plan'].lost.total).toEqual({ leases: 115, permits: 115, grants: 115 });
    expect((await plan({ files: forbidding(ALICE) })).body['lost'].rows).toHaveLength(1);
  }, 60_000);

  test('that is wrong from the beginning is an ordinary problem', async () => {
    const { response, lines } = await stream({ files: {} });
    expect([response.status, lines[0]?.['code']]).toEqual([400, 'invalid-policy-set']);
  });

  test('more than a few at once are asked to come again', async () => {
    await many(150, () => live(alice));
    const answers = await Promise.all(Array.from({ length: 6 }, () => plan({ files: forbidding(ALICE) })));
    const codes = answers.map(({ status, body }) => (status === 200 ? 200 : body['code']));
    expect(codes).toContain(200);
    expect(codes).toContain('planning-busy');
    expect((await plan({ files: forbidding(ALICE) })).status).toBe(200);
  }, 60_000);

  test('that nobody waits for any more is given up', async () => {
    await many(150, () => live(alice));
    const leaving = new AbortController();
    const asked = fetch(`${world.url}/v1/policies/plan`, {
      method: 'POST',
      headers: { authorization: 'Bearer admin', 'content-type': 'application/json', accept: 'application/x-ndjson' },
      body: JSON.stringify({ files: forbidding(ALICE) }),
      signal: leaving.signal,
    });
    const reader = (await asked).body!.getReader();
    await reader.read();
    leaving.abort();
    // Its place is free again.
    for (;;) {
      const statuses = await Promise.all([plan({ files: example }), plan({ files: example })]);
      if (statuses.every(({ status }) => status === 200)) break;
    }
  }, 60_000);
});
