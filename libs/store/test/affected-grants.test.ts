import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { plusSeconds, type Initiator } from '@mayfly/domain';
import { factsOf, type Grant } from '@mayfly/grant';
import { affects, SLICE_FIELDS, type Affected, type Slice } from '@mayfly/policy';
import fc from 'fast-check';
import { affectedGrants, findGrant, ID_RANGES, lockGrant, moveUnaffected, olderPolicyInUse } from '../src/index.js';
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
  test('finds whom it can touch, by the same rule as in memory, and moves exactly the others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constant<Affected>('all'), fc.array(slice, { maxLength: 3 })), async (affected) => {
        const digest = await underOneSet();
        const expected = grants.filter((grant) => affects(affected, factsOf(grant, grant.request!), grant.source.slice('urn:'.length)));
        expect(await affectedBy(digest, affected)).toEqual(expected.map(({ id }) => id).sort());
        const { moved } = await moveUnaffected(ledger.database, digest, 'sha256:new', affected, { after: '' }, 1_000);
        expect(moved).toBe(grants.length - expected.length);
        expect(await affectedBy(digest, 'all')).toEqual(expected.map(({ id }) => id).sort());
      }),
      { numRuns: 40 },
    );
  });

  test('reaches every grant once in the ranges together', async () => {
    const digest = await underOneSet();
    const parts = await Promise.all(ID_RANGES.map((range) => moveUnaffected(ledger.database, digest, 'sha256:ranges', [], range, 1_000)));
    expect(parts.filter(({ moved }) => moved > 0).length).toBeGreaterThan(1);
    expect(parts.reduce((sum, { moved }) => sum + moved, 0)).toBe(grants.length);
    expect(await affectedBy(digest, 'all')).toEqual([]);
  });

  test('goes page by page, and finds what still rests on another set', async () => {
    const digest = await underOneSet();
    expect(await olderPolicyInUse(ledger.database, digest)).toBeUndefined();
    expect(await olderPolicyInUse(ledger.database, 'sha256:other')).toBe(digest);
    const [first, ...rest] = await affectedBy(digest, 'all');
    expect(rest.length).toBe(grants.length - 1);
    expect((await affectedGrants(ledger.database, digest, 'all', first!, 1_000)).map(({ id }) => id)).toEqual(rest);
    const page = await moveUnaffected(ledger.database, digest, 'sha256:new', [], { after: '' }, 3);
    expect(page).toEqual({ moved: 3, last: rest[1] });
    expect(await affectedBy(digest, 'all')).toEqual(rest.slice(2));
  });

  test('leaves what somebody holds for the next time', async () => {
    const digest = await underOneSet();
    await ledger.database.transaction('hold', async (tx) => {
      await lockGrant(tx, grants[0]!.id);
      const { moved } = await moveUnaffected(ledger.database, digest, 'sha256:new', [], { after: '' }, 1_000);
      expect(moved).toBe(grants.length - 1);
    });
    expect(await affectedBy(digest, 'all')).toEqual([grants[0]!.id]);
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
    await moveUnaffected(ledger.database, digest, 'sha256:new', [{ agents: ['a1'] }], { after: '' }, 1_000);
    expect(await findGrant(ledger.database, grandchild.id)).toMatchObject({ policyDigest: digest });
    expect(await findGrant(ledger.database, nephew.id)).toMatchObject({ policyDigest: 'sha256:new' });
  });
});
