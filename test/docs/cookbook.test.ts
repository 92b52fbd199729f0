import { describe, expect, test } from '@jest/globals';
import type { TaskFacts } from '@mayfly/domain';
import { readPolicy, type DecisionQuestion, type PolicyFiles } from '@mayfly/policy';
import { AT, call, delegate, example, mint, READ, WRITE } from '../../libs/policy/test/questions.js';
import { chapter, doc } from './markdown.js';

const text = doc('docs/policies.md');
const blocksIn = (part: string): string[] => [...part.matchAll(/```cedar\n([^]*?)```/g)].map(([, block]) => block as string);
const recipes = new Map(
  chapter(text, 'Cookbook')
    .split(/^### \d+\. /m)
    .slice(1)
    .map((recipe) => [recipe.split('\n')[0]!, blocksIn(recipe)] as const),
);

const registered = (said: string): PolicyFiles => ({
  ...example,
  'registrations.yaml': example['registrations.yaml']!.replace('name: nightly-etl', `name: nightly-etl\n        ${said}`),
});
const at = (time: string, question: DecisionQuestion): DecisionQuestion => ({ ...question, at: new Date(time) });
const by = (kind: 'human' | 'service'): Partial<TaskFacts> => ({ initiator: { id: 'alice@example.org', kind } });
const approved = (minutesAgo: number): Partial<TaskFacts> => ({
  approval: { by: 'approver1', at: new Date(AT.getTime() - minutesAgo * 60_000) },
});
const planning = (...plan: (typeof READ)[]): Partial<TaskFacts> => ({ intent: { purpose: 'p', plan } });
const SHELL = { tool: 'shell', action: 'run', resource: 'host-7' };
const SALARIES = { ...READ, resource: 'salaries' };
const PRODUCTION = 'environment: production\n        autonomyTier: ';

interface Cases {
  /** As without the recipe. */
  readonly permits: readonly DecisionQuestion[];
  /** By this recipe alone. */
  readonly denies: readonly DecisionQuestion[];
  readonly files?: PolicyFiles;
}
const CASES: Readonly<Record<string, readonly Cases[]>> = {
  'Only in a maintenance window': [
    {
      permits: [at('2026-11-22T02:00:00Z', mint({}, 'orders-db.write')), at('2026-11-28T05:59:59Z', mint({}, 'bastion.ssh')), mint()],
      denies: ['2026-11-22T01:59:59Z', '2026-11-22T06:00:00Z', '2026-11-23T03:00:00Z'].map((time) => at(time, mint({}, 'orders-db.write'))),
    },
  ],
  'Production only with low autonomy': [
    { files: registered(`${PRODUCTION}2`), permits: [mint(), call(), delegate()], denies: [] },
    { files: registered(`${PRODUCTION}3`), permits: [], denies: [mint(), call(), delegate()] },
    { files: registered('environment: production'), permits: [], denies: [mint(), call()] },
    { files: registered('environment: staging\n        autonomyTier: 5'), permits: [mint(), call()], denies: [] },
    { permits: [mint()], denies: [] },
  ],
  'A ceiling for data': [
    {
      permits: [mint({ intent: { purpose: 'p', plan: [], dataClass: 'confidential' } }, 'payload.key'), mint()],
      denies: [mint({}, 'payload.key'), mint({ intent: { purpose: 'p', plan: [], dataClass: 'internal' } }, 'payload.key')],
    },
    {
      files: { ...example, 'catalogue.yaml': example['catalogue.yaml']!.replaceAll('dataClass: internal', 'dataClass: restricted') },
      permits: [],
      denies: [mint(), mint({ intent: { purpose: 'p', plan: [], dataClass: 'restricted' } })],
    },
  ],
  'Only on behalf of a person': [
    {
      permits: [mint(by('human'), 'bastion.ssh'), mint(by('service'))],
      denies: [mint(by('service'), 'bastion.ssh'), mint({}, 'bastion.ssh')],
    },
  ],
  'Sub-tasks do not write': [
    {
      permits: [mint({ delegationDepth: 1 }), mint({}, 'orders-db.write'), call({ delegationDepth: 3 }), call({}, WRITE)],
      denies: [mint({ delegationDepth: 1 }, 'orders-db.write'), call({ delegationDepth: 2 }, WRITE)],
    },
  ],
  'Step down as risk rises': [
    {
      permits: [
        mint({ risk: 79 }),
        mint({ risk: 39 }, 'orders-db.write'),
        call({ risk: 39 }, WRITE),
        call({ risk: 79 }),
        delegate({ risk: 69 }),
      ],
      denies: [
        mint({ risk: 40 }, 'orders-db.write'),
        call({ risk: 40 }, WRITE),
        delegate({ risk: 70 }),
        mint({ risk: 90 }, 'service.cert'),
      ],
    },
  ],
  'A list of tools': [{ permits: [call(), call({}, WRITE), mint()], denies: [call(planning(SHELL), SHELL)] }],
  'One dataset for nobody': [
    {
      permits: [call(planning(READ, SALARIES)), mint(planning(SALARIES), 'service.cert'), mint()],
      denies: [call(planning(SALARIES), SALARIES), mint(planning(READ, SALARIES))],
    },
  ],
  'So many attempts': [
    {
      permits: [mint(), mint({ attempt: 1 }), call({ attempt: 3 })],
      denies: [mint({ attempt: 4 }), call({ attempt: 4 }), delegate({ attempt: 1000 })],
    },
  ],
  'Approved within the hour': [
    {
      permits: [mint(approved(0), 'payload.key'), mint(approved(60), 'payload.key'), mint()],
      denies: [mint({}, 'payload.key'), mint(by('human'), 'payload.key'), mint(approved(61), 'payload.key')],
    },
  ],
};

describe('the cookbook of docs/policies.md', () => {
  test('has ten recipes, each with one block and with cases that it permits and denies', () => {
    expect([...recipes.keys()].sort()).toEqual(Object.keys(CASES).sort());
    expect(recipes.size).toBe(10);
    for (const [name, blocks] of recipes) {
      expect([name, blocks.length]).toEqual([name, 1]);
      expect(CASES[name]!.flatMap(({ permits }) => permits)).not.toEqual([]);
      expect(CASES[name]!.flatMap(({ denies }) => denies)).not.toEqual([]);
    }
  });

  describe.each([...recipes])('%s', (name, [block = '']) => {
    const ids = [...block.matchAll(/@id\("([^"]+)"\)/g)].map(([, id]) => id as string);
    test('denies what it is about, and nothing else', async () => {
      const seen = new Set<string>();
      for (const { permits, denies, files = example } of CASES[name]!) {
        const [before, after] = [files, { ...files, 'policies/recipe.cedar': block }].map((set) => readPolicy(set).decider);
        for (const question of [...permits, ...denies]) expect((await before!.decide(question)).decision).toBe('permit');
        for (const question of permits) expect(await after!.decide(question)).toMatchObject({ decision: 'permit' });
        for (const question of denies) {
          const decision = await after!.decide(question);
          expect(decision).toMatchObject({ decision: 'deny', reasons: ['policy-denies'] });
          expect(decision.policies.filter((id) => !ids.includes(id))).toEqual([]);
          for (const id of decision.policies) seen.add(id);
        }
      }
      // Each policy of the block is the reason of some deny.
      expect([...seen].sort()).toEqual(ids.sort());
    });
  });

  test('goes together: all of it is one set', () => {
    const files = Object.fromEntries([...recipes.values()].map(([block = ''], i) => [`policies/recipe-${i}.cedar`, block]));
    expect(Object.keys(readPolicy({ ...example, ...files }).set.policies).length).toBeGreaterThan(20);
  });
});

test('the policy that is shown in shadow mode is one', async () => {
  const [block = ''] = blocksIn(text.split('### Shadow mode')[1]!.split('## Cookbook')[0]!);
  const { set, decider } = readPolicy({ ...example, 'policies/tried.cedar': block });
  expect(Object.keys(set.shadowPolicies.forbid)).toEqual(['no-writes-at-night']);
  const night = { ...mint({}, 'orders-db.write', new Date('2026-11-22T05:00:00Z')), action: 'fetch' } as const;
  expect(await decider.decide(night)).toMatchObject({ decision: 'permit', shadow: [{ policy: 'no-writes-at-night', would: 'deny' }] });
});
