import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { plusSeconds, type Initiator } from '@mayfly/domain';
import { factsOf, type Grant } from '@mayfly/grant';
import { affects, SLICE_FIELDS, type Affected, type Slice } from '@mayfly/policy';
import fc from 'fast-check';
import { affectedGrants, readersOfCurrent, setsInUse, settleSet, transitionLease, unsettledSets } from '../src/index.js';
import { applyExample } from './example.js';
import { AT, capability, granted, startLedger, task, type Ledger } from './ledger.js';

let ledger: Ledger;
let grants: Grant[];
let sets = 0;
beforeAll(async () => {
  ledger = await startLedger();
  grants = await Promise.all(
    ['a1', 'a2'].flatMap((agent) =>
      ['w1', 'w2'].flatMap((workflow) =>
        ['c1', 'c2'].flatMap((name) =>
          [undefined, 'alice'].map(async (initiator) => {
            const by: { initiator?: Initiator } = initiator ? { initiator: { id: initiator, kind: 'human' } } : {};
            const start = task({ agent: { id: agent }, workflow: { name: workflow }, ...by });
            return (await granted(ledger.database, { start, spec: capability({ name }), source: `urn:${name}`, tenant: `t-${workflow}` }))
              .grant;
          }),
        ),
      ),
    ),
  );
}, 60_000);
afterAll(() => ledger?.stop());

/** Puts all of them, and sub-tasks of theirs, under a set that nobody else has. */
async function underOneSet(): Promise<string> {
  const digest = `sha256:${(sets += 1)}`;
  await ledger.database.run('', `update ledger.task_grant set policy_digest = $1 where state = 'granted'`, [digest]);
  return digest;
}
const affectedBy = async (digest: string, affected: Affected): Promise<string[]> =>
  (await affectedGrants(ledger.database, digest, affected, '', 1_000)).map(({ id }) => id);

const names = {
  agents: ['a1', 'a2', 'a3'],
  sources: ['urn:c1', 'urn:c2'],
  workflows: ['w1', 'w2'],
  tenants: ['t-w1', 't-w2'],
  initiators: ['alice', 'bob'],
  capabilities: ['c1', 'c2'],
};
const slice: fc.Arbitrary<Slice> = fc.record(
  Object.fromEntries(SLICE_FIELDS.map((field) => [field, fc.subarray(names[field], { minLength: 1 })])),
  { requiredKeys: [] },
);

describe('another policy set', () => {
  test('finds whom it can touch, by the same rule as in memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constant<Affected>('all'), fc.array(slice, { maxLength: 3 })), async (affected) => {
        const digest = await underOneSet();
        const expected = grants.filter((grant) => affects(affected, factsOf(grant, grant.request!), grant.source.slice('urn:'.length)));
        expect(await affectedBy(digest, affected)).toEqual(expected.map(({ id }) => id).sort());
      }),
      { numRuns: 40 },
    );
  });

  test('goes page by page', async () => {
    const digest = await underOneSet();
    const [first, ...rest] = await affectedBy(digest, 'all');
    expect(rest.length).toBe(grants.length - 1);
    expect((await affectedGrants(ledger.database, digest, 'all', first!, 3)).map(({ id }) => id)).toEqual(rest.slice(0, 3));
  });

  test('says who has something in hand: what lives of it has to die first', async () => {
    const { grant, lease } = await granted(ledger.database, { start: task() });
    const digest = await underOneSet();
    const holds = async () => (await affectedGrants(ledger.database, digest, 'all', '', 1_000)).find(({ id }) => id === grant.id)?.holds;
    expect(await holds()).toBe(true);
    await transitionLease(ledger.database, lease.ref, 'active', 'revoking', { cause: 'expired' });
    expect(await holds()).toBe(false);
    await ledger.database.run('', `update ledger.task_grant set state = 'closing', prior_state = 'granted' where id = $1`, [grant.id]);
  });

  test('that touches a task touches everything beneath it, however deep, and nothing beside it', async () => {
    const [parent, other] = [grants.find(({ agentId }) => agentId === 'a1')!, grants.find(({ agentId }) => agentId === 'a2')!];
    const beneath = async (above: Grant, agent: string) =>
      (
        await granted(ledger.database, {
          start: task({ agent: { id: agent } }),
          parentGrantId: above.id,
          delegationDepth: above.delegationDepth + 1,
          openedAt: plusSeconds(AT, 1),
        })
      ).grant;
    const child = await beneath(parent, 'helper');
    const grandchild = await beneath(child, 'helper-of-helper');
    const nephew = await beneath(other, 'helper');
    const digest = await underOneSet();
    const touched = await affectedBy(digest, [{ agents: ['a1'] }]);
    expect(touched).toEqual(expect.arrayContaining([child.id, grandchild.id]));
    expect(touched).not.toContain(nephew.id);
  });
});

describe('what rests on an earlier set', () => {
  const change = (comment: number) =>
    applyExample(ledger.database, (files) => ({ ...files, 'schema.cedarschema': `${files['schema.cedarschema']}\n// ${comment}\n` }));
  const unsettled = async () => (await unsettledSets(ledger.database))!;
  const settle = async (digest: string) => settleSet(ledger.database, digest, (await unsettled()).version);

  test('is to be looked at until it is noted, set by set', async () => {
    const current = await change(1);
    await underOneSet();
    expect(await unsettled()).toMatchObject({ digest: current, sets: [`sha256:${sets}`] });
    const [some] = grants;
    await ledger.database.run('', `update ledger.task_grant set policy_digest = 'sha256:9' where id = $1`, [some!.id]);
    expect((await unsettled()).sets).toEqual([`sha256:${sets}`, 'sha256:9']);
    expect(await setsInUse(ledger.database)).toEqual([`sha256:${sets}`, 'sha256:9']);
    expect(await settle('sha256:9')).toBe(1);
    expect(await settle('sha256:9')).toBe(0);
    expect((await unsettled()).sets).toEqual([`sha256:${sets}`]);
    await ledger.database.run('', `update ledger.task_grant set policy_digest = $1 where state = 'granted'`, [current]);
    expect((await unsettled()).sets).toEqual([]);
  });

  test('is to be looked at again with each change, even one back to a set for which it was noted', async () => {
    const back = await change(1);
    const digest = await underOneSet();
    await settle(digest);
    const before = await unsettled();
    expect(before.sets).toEqual([]);
    await change(2);
    expect((await unsettled()).sets).toEqual([digest]);
    expect(await change(1)).toBe(back);
    expect((await unsettled()).sets).toEqual([digest]);
    // Who is late notes it for a turn that is over.
    await settleSet(ledger.database, digest, before.version);
    expect((await unsettled()).sets).toEqual([digest]);
    await settle(digest);
    const [row] = await ledger.database.run<{ count: number }>('', 'select count(*)::int as count from policy.settled');
    expect(row).toEqual({ count: 1 });
  });

  test('can still become more while a transaction is open that has read which set is current', async () => {
    await change(1);
    expect(await readersOfCurrent(ledger.database)).toEqual([]);
    await ledger.database.transaction('reads', async (tx) => {
      await unsettledSets(tx);
      expect(await readersOfCurrent(ledger.database)).toHaveLength(1);
    });
    expect(await readersOfCurrent(ledger.database)).toEqual([]);
  });
});
