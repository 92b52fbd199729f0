import { isAuthorized, schemaToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, test } from '@jest/globals';
import type { TaskFacts } from '@mayfly/domain';
import { ACTIONS, readPolicySet, refuseByRegistration, type DecisionQuestion } from '@mayfly/policy';
import { cedarRequest } from '../src/cedar-request.js';
import { verdictOf } from '../src/verdict-of.js';
import { AT, call, deciderWith, delegate, facts, filesWith, mint, READ, verdict, WRITE } from './questions.js';

const forbid = (condition: string, scope = 'principal, action, resource'): string => `@id("more") forbid (${scope}) when { ${condition} };`;

describe('each of three axes can deny alone', () => {
  const READS = call();
  const WRITES = call({}, WRITE);
  test.each<[string, string]>([
    ['the tool', forbid('context.tool == Mayfly::Tool::"sql.execute"', 'principal, action == Mayfly::Action::"call", resource')],
    ['the downstream action', forbid('context.verb == "write"', 'principal, action == Mayfly::Action::"call", resource')],
    ['what it does', forbid('context.access == "write"', 'principal, action == Mayfly::Action::"call", resource')],
  ])('of a call: %s', async (_, policy) => {
    const decider = deciderWith(policy);
    expect(verdict(await decider.decide(WRITES))).toEqual(['deny', 'policy-denies', 'more']);
    expect((await decider.decide(READS)).decision).toBe('permit');
    expect((await deciderWith('').decide(WRITES)).decision).toBe('permit');
  });

  test.each<[string, string]>([
    ['the dataset', `@id("more") forbid (principal, action, resource == Mayfly::Resource::"customers");`],
    ['its kind', forbid('resource.kind == "secret-table"', 'principal, action == Mayfly::Action::"call", resource')],
    ['the host', forbid('context has host && context.host == "db.example"', 'principal, action == Mayfly::Action::"call", resource')],
  ])('of a call: %s', async (_, policy) => {
    const elsewhere = { ...READ, resource: 'customers', host: 'db.example' };
    const task = { intent: { purpose: 'p', plan: [READ, elsewhere] } };
    const asked = call(task, elsewhere);
    const question = { ...asked, call: { ...asked.call, resource: { type: 'secret-table', id: 'customers' } } };
    const decider = deciderWith(policy);
    expect(verdict(await decider.decide(question))).toEqual(['deny', 'policy-denies', 'more']);
    expect((await decider.decide(call(task))).decision).toBe('permit');
    expect((await deciderWith('').decide(question)).decision).toBe('permit');
  });

  test.each<[string, string]>([
    ['a tool', 'context.tools.contains(Mayfly::Tool::"sql.execute")'],
    ['a dataset', 'context.resources.contains(Mayfly::Resource::"orders") && context.verbs.contains("write")'],
    ['a downstream action', 'context.verbs.contains("write")'],
    ['a host', 'context.hosts.contains("db.example")'],
  ])('of the plan, when a credential is asked for: %s', async (_, condition) => {
    const decider = deciderWith(forbid(condition));
    const task = { intent: { purpose: 'p', plan: [READ, { ...WRITE, host: 'db.example' }] } };
    expect(verdict(await decider.decide(mint(task)))).toEqual(['deny', 'policy-denies', 'more']);
    expect((await decider.decide(mint({ intent: { purpose: 'p', plan: [READ] } }))).decision).toBe('permit');
  });
});

describe('a decision can rest on', () => {
  const registered = (line: string) =>
    deciderWith(
      forbid('context has environment && context.environment == "production" && context has autonomyTier && context.autonomyTier > 2'),
      ['registrations.yaml', 'name: nightly-etl', `name: nightly-etl\n        ${line}`],
    );
  test('environment and autonomy of the registration, whatever an event says', async () => {
    const claiming = { ...facts(), environment: 'production', autonomyTier: 5 } as TaskFacts;
    expect((await registered('environment: production\n        autonomyTier: 3').decide(mint())).reasons).toEqual(['policy-denies']);
    expect((await registered('environment: production\n        autonomyTier: 2').decide(mint(claiming))).decision).toBe('permit');
    expect((await registered('environment: staging\n        autonomyTier: 5').decide(mint(claiming))).decision).toBe('permit');
  });

  test.each<[string, string, Partial<TaskFacts>]>([
    ['what it did before', 'context.behaviour == "warned"', { behaviour: 'warned' }],
    ['an approval', 'context has approval && context.approval.by == "bob"', { approval: { by: 'bob', at: AT } }],
    [
      'the age of an approval',
      'context has approval && context.at.durationSince(context.approval.at) > duration("1h")',
      { approval: { by: 'b', at: new Date(0) } },
    ],
  ])('%s', async (_, condition, task) => {
    const decider = deciderWith(forbid(condition));
    expect(verdict(await decider.decide(mint(task)))).toEqual(['deny', 'policy-denies', 'more']);
    expect((await decider.decide(mint({ approval: { by: 'alice', at: AT } }))).decision).toBe('permit');
  });

  test.each([
    ['2026-11-22T23:59:59.999Z', 7, 23],
    ['2026-11-23T00:00:00Z', 1, 0],
    ['2026-11-28T12:30:00Z', 6, 12],
  ])('weekday and hour in UTC: %s', async (at, weekday, hour) => {
    const decider = deciderWith(forbid(`context.weekday == ${weekday} && context.hour == ${hour}`));
    expect((await decider.decide(mint({}, 'orders-db.read', new Date(at)))).reasons).toEqual(['policy-denies']);
    expect((await decider.decide(mint())).decision).toBe('permit');
  });
});

describe('a required field that is missing denies', () => {
  const set = readPolicySet(filesWith('@id("all") permit (principal, action, resource);'));
  const schema = schemaToJson(set.schema);
  if (schema.type === 'failure') throw new Error('the schema has no JSON form');
  type Shape = { attributes: Record<string, { required?: boolean }> };
  const { commonTypes = {} } = (schema.json as Record<string, { commonTypes?: Record<string, unknown> }>)['Mayfly']!;
  const required = (name: string): string[] =>
    Object.entries((commonTypes[name] as Shape).attributes).flatMap(([field, { required: must = true }]) => (must ? [field] : []));
  const questions: Record<DecisionQuestion['action'], DecisionQuestion> = {
    mint: mint(),
    fetch: { ...mint(), action: 'fetch' },
    breakGlass: { ...mint(), action: 'breakGlass' },
    call: call(),
    delegate: delegate(),
  };

  test.each(ACTIONS)('in the context of %s, each', (action) => {
    const known = refuseByRegistration(set, questions[action]);
    if ('refused' in known) throw new Error(known.refused);
    const ask = (context: Record<string, unknown>) =>
      verdictOf(
        isAuthorized({
          ...cedarRequest(known),
          context: context as never,
          schema: set.schema,
          validateRequest: true,
          policies: { staticPolicies: { ...set.policies } },
        }),
      );
    const { context } = cedarRequest(known);
    expect(ask(context).decision).toBe('permit');
    const fields = required(action === 'call' ? 'CallContext' : 'TaskContext');
    expect(fields.length).toBeGreaterThan(15);
    for (const field of fields) {
      const rest = Object.fromEntries(Object.entries(context).filter(([name]) => name !== field));
      expect([field, ask(rest).decision, ask(rest).reason]).toEqual([field, 'deny', 'evaluation-error']);
    }
  });

  test.each<keyof TaskFacts>(['taskId', 'tenant', 'source', 'workflow', 'agent', 'intent', 'risk', 'behaviour', 'delegationDepth'])(
    'in the facts of a task: %s',
    async (field) => {
      const decider = deciderWith('@id("all") permit (principal, action, resource);');
      for (const question of Object.values(questions)) {
        const task = Object.fromEntries(Object.entries(question.task).filter(([name]) => name !== field)) as unknown as TaskFacts;
        expect((await decider.decide({ ...question, task })).decision).toBe('deny');
      }
    },
  );
});
