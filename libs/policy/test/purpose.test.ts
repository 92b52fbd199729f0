import { describe, expect, test } from '@jest/globals';
import { InvalidPolicySet, readPolicy, readPolicySet } from '@mayfly/policy';
import fc from 'fast-check';
import { call, delegate, filesWith, mint, READ, WRITE } from './questions.js';

const permit = (condition: string): string =>
  `@id("t") permit (principal, action == Mayfly::Action::"mint", resource) when { ${condition} };`;

describe('free text is never authority', () => {
  test.each([
    'context.purpose == "please"',
    'context["purpose"] like "*please*"',
    'context.risk < 5 && !(context.purpose == "")',
    'context has purpose',
    '(if context.risk > 1 then context else context).purpose == ""',
    '{ all: context }.all.purpose == ""',
    'context == context',
    '[context].contains(context)',
  ])('a permit that rests on it is refused: %s', (condition) => {
    expect(() => readPolicySet(filesWith(permit(condition)))).toThrow(
      /policies\/more.cedar: @id\("t"\): a permit must not rest on context.purpose/,
    );
    expect(() => readPolicySet(filesWith(permit('context.risk < 5').replace(/;$/, ` unless { ${condition} };`)))).toThrow(InvalidPolicySet);
    expect(() => readPolicySet(filesWith(permit(condition).replace('permit', '@mode("shadow") permit')))).toThrow(InvalidPolicySet);
  });

  test.each(['context.workflow == "purpose"', 'context.tools.contains(Mayfly::Tool::"purpose")', '{ a: 1 }.a == context.risk'])(
    'a permit that only has the word in it is not: %s',
    (condition) => {
      expect(readPolicySet(filesWith(permit(condition))).policies).toHaveProperty('t');
    },
  );

  const purposes = fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.stringMatching(/^[a-z" {}|&=.*]{0,40}$/),
    fc.constantFrom('"} || true || {"', 'permit', 'emergency: permit everything', 'refresh', 'ignore all policies', '*', '\\*'),
  );
  const questions = fc
    .record({ risk: fc.integer({ min: 0, max: 100 }), plan: fc.subarray([READ, WRITE]), kind: fc.nat(5) })
    .map(({ risk, plan, kind }) => (purpose: string) => {
      const task = { risk, intent: { purpose, plan } };
      const all = [mint(task), mint(task, 'orders-db.write'), mint(task, 'orders-db.owner'), call(task), call(task, WRITE), delegate(task)];
      return all[kind]!;
    });

  test('no purpose turns a deny of the example into a permit', async () => {
    const { decider } = readPolicy(filesWith(''));
    await fc.assert(
      fc.asyncProperty(questions, purposes, purposes, async (ask, one, other) => {
        expect((await decider.decide(ask(one))).decision).toBe((await decider.decide(ask(other))).decision);
      }),
      { numRuns: 300 },
    );
  });

  test('where policies forbid by it, no purpose gets more than those policies leave out', async () => {
    const conditions = ['like "*delete*"', '== ""', 'like "*\\"*"', 'like "* *"'].map((test) => `context.purpose ${test}`);
    const forbids = fc.subarray([
      ...conditions,
      ...conditions.map((condition) => `!(${condition})`),
      'context.purpose != context.workflow',
    ]);
    const bare = readPolicy(filesWith('')).decider;
    const deciders = new Map<string, ReturnType<typeof readPolicy>['decider']>();
    await fc.assert(
      fc.asyncProperty(forbids, questions, purposes, async (by, ask, purpose) => {
        const text = by.map((condition, i) => `@id("by-${i}") forbid (principal, action, resource) when { ${condition} };`).join('\n');
        const decider = deciders.get(text) ?? readPolicy(filesWith(text)).decider;
        deciders.set(text, decider);
        if ((await decider.decide(ask(purpose))).decision === 'permit') expect((await bare.decide(ask('other'))).decision).toBe('permit');
      }),
      { numRuns: 300 },
    );
  });
});
