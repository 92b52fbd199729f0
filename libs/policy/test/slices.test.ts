import { describe, expect, test } from '@jest/globals';
import type { TaskFacts } from '@mayfly/domain';
import { readPolicy, type DecisionQuestion } from '@mayfly/policy';
import fc from 'fast-check';
import { ApplicablePolicies } from '../src/applicable-policies.js';
import { cedarRequest } from '../src/cedar-request.js';
import { refuseByRegistration, type KnownQuestion } from '../src/refuse-by-registration.js';
import { AT, call, delegate, ETL, filesWith, mint, READ, REPORTER, WRITE } from './questions.js';
import { wholeJudge } from './whole-judge.js';

const AGENTS = [
  'principal',
  `principal == A::"${ETL}"`,
  `principal in A::"${REPORTER}"`,
  'principal is A',
  `principal is A in A::"${ETL}"`,
];
const TARGETS = [
  'action, resource',
  'action == Do::"fetch", resource == C::"orders-db.read"',
  'action in [Do::"mint", Do::"fetch"], resource is C',
  'action in [Do::"mint", Do::"breakGlass"], resource in C::"orders-db.write"',
  'action in [Do::"mint", Do::"fetch", Do::"breakGlass"], resource',
  'action == Do::"call", resource == Mayfly::Resource::"orders"',
  'action in Do::"call", resource',
  `action == Do::"delegate", resource == A::"${REPORTER}"`,
];
const OVERFLOWS = 'context.risk * 9223372036854775807 > 1';
const CONDITIONS = [
  'context.workflow == "nightly-etl"',
  '"reporting" == context.workflow && context.risk < 50',
  '["nightly-etl", "nobody"].contains(context.workflow)',
  'context.source == "urn:example:orchestrator" && context.tenant == "default"',
  'context.tenant == "other"',
  'context has initiator && context.initiator == Mayfly::Initiator::"alice"',
  'context has initiator && context.initiator == Mayfly::Initiator::"alice" && context.workflow == "nightly-etl"',
  'context has initiator && context.initiator.kind == "service"',
  'context has initiator.kind && context.initiator.kind == "human"',
  OVERFLOWS,
  `context.workflow == "nightly-etl" && ${OVERFLOWS}`,
  `${OVERFLOWS} && context.workflow == "reporting"`,
  'context.plan.contains({ action: "write", resource: "orders" })',
  'context.tools.contains(Mayfly::Tool::"sql.query") || context.verbs.contains("write")',
  'context.hosts.isEmpty() && context.resources.contains(Mayfly::Resource::"orders")',
  'context.task in Mayfly::Task::"plan-0007"',
  'context has parent && context.parent == Mayfly::Task::"plan-0007"',
  'context has approval && context.approval.by == "bob"',
  'context.at.toTime() >= duration("12h") || context.weekday == 7 || context.hour < 3',
  'context has attempt && context.attempt > 1',
  'context has environment && context.environment == "production"',
  'context has dataClass && context.dataClass like "inter*"',
  'if context.behaviour == "warned" then context.risk < 10 else context.delegationDepth < 2',
  'principal.owner == "data-platform@example.org"',
  `principal in A::"${ETL}"`,
  'principal is A && context.risk > 5',
];
/** Of free text no permit may rest. */
const FORBIDS = [...CONDITIONS, 'context.purpose like "*delete*"', 'context == context'];

const policies = fc.array(
  fc.constantFrom('permit', 'forbid').chain((effect) =>
    fc.tuple(
      fc.constant(effect),
      fc.constantFrom('', '', '@mode("shadow") '),
      fc.constantFrom(...AGENTS),
      fc.constantFrom(...TARGETS),
      fc.array(fc.tuple(fc.constantFrom('when', 'when', 'unless'), fc.constantFrom(...(effect === 'permit' ? CONDITIONS : FORBIDS))), {
        maxLength: 2,
      }),
    ),
  ),
  { minLength: 1, maxLength: 16 },
);
type Drawn = typeof policies extends fc.Arbitrary<infer T> ? T : never;
const textOf = (drawn: Drawn): string =>
  drawn
    .map(
      ([effect, mode, agent, target, conditions], at) =>
        `@id("drawn-${at}") ${mode}${effect} (${agent}, ${target})${conditions.map(([kind, body]) => ` ${kind} { ${body} }`).join('')};`,
    )
    .join('\n')
    .replace(/\b(A|C|Do)::/g, (_, short: 'A' | 'C' | 'Do') => `Mayfly::${{ A: 'Agent', C: 'Capability', Do: 'Action' }[short]}::`)
    .replace(/\bis A\b/g, 'is Mayfly::Agent')
    .replace(/\bis C\b/g, 'is Mayfly::Capability');

const tasks = fc
  .record({
    agent: fc.constantFrom(ETL, REPORTER),
    risk: fc.constantFrom(0, 2, 7, 60, 100, 0.5, NaN),
    behaviour: fc.constantFrom('normal', 'warned', 'narrowed'),
    delegationDepth: fc.constantFrom(0, 2, undefined as unknown as number),
    initiator: fc.constantFrom(undefined, { id: 'alice', kind: 'human' } as const, { id: 'cron', kind: 'service' } as const),
    parentTaskId: fc.constantFrom(undefined, 'plan-0007', 'etl-0042'),
    attempt: fc.constantFrom(undefined, 1, 2, 1.5),
    approval: fc.constantFrom(undefined, { by: 'bob', at: AT }, { by: 'bob', at: new Date(NaN) }),
    purpose: fc.constantFrom('refresh', 'delete it all', 'half a \ud800', 7 as unknown as string),
    dataClass: fc.constantFrom(undefined, 'internal', 'secret'),
    plan: fc.subarray([READ, WRITE, { ...READ, host: 'a.example' }]),
  })
  .map(({ purpose, dataClass, plan, ...task }) => ({
    ...task,
    workflow: task.agent === ETL ? 'nightly-etl' : 'reporting',
    intent: { purpose, plan, ...(dataClass && { dataClass }) },
  })) as fc.Arbitrary<Partial<TaskFacts>>;
const questions: fc.Arbitrary<DecisionQuestion> = fc
  .tuple(tasks, fc.nat(6), fc.constantFrom(AT, AT, new Date('+012026-01-01T00:00:00Z')))
  .map(([task, kind, at]) => {
    const asked = [
      mint(task),
      mint(task, 'orders-db.write'),
      { ...mint(task), action: 'fetch' as const },
      { ...mint(task, 'orders-db.write'), action: 'breakGlass' as const },
      call(task),
      call(task, WRITE),
      delegate(task),
    ];
    return { ...asked[kind]!, at };
  });
const known = (question: DecisionQuestion): KnownQuestion => refuseByRegistration(readPolicy(filesWith('')).set, question) as KnownQuestion;

describe('a decision by the policies that can apply', () => {
  test('is the one by all policies: permits, forbids, errors, shadows and questions that are none', async () => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(policies, fc.array(questions, { minLength: 40, maxLength: 60 }), async (drawn, asked) => {
        const files = filesWith(textOf(drawn));
        const [sliced, whole] = [readPolicy(files).decider, readPolicy(files, wholeJudge).decider];
        for (const question of asked) {
          const [one, other] = [await sliced.decide(question), await whole.decide(question)];
          expect({ ...one, id: '' }).toEqual({ ...other, id: '' });
          for (const outcome of [one.reasons[0]!, ...(one.shadow ?? []).map(({ would }) => `would ${would}`)])
            outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      }),
      { numRuns: 40 },
    );
    // Otherwise nothing would have been compared.
    for (const outcome of ['policy-permits', 'no-policy-permits', 'policy-denies', 'evaluation-error', 'would permit', 'would deny'])
      expect([outcome, outcomes.get(outcome) ?? 0]).not.toEqual([outcome, 0]);
  }, 120_000);

  test('a schema with groups of actions is asked with all policies', async () => {
    const grouped = [
      [
        'schema.cedarschema',
        'action mint, fetch, breakGlass appliesTo',
        'action get;\n  action mint, fetch, breakGlass in [get] appliesTo',
      ],
    ] as const;
    const { decider } = readPolicy(
      filesWith(
        '@id("no-gets") forbid (principal, action in Mayfly::Action::"get", resource);',
        ...grouped.map((edit) => [...edit] as [string, string, string]),
      ),
    );
    expect(await decider.decide(mint())).toMatchObject({ decision: 'deny', policies: ['no-gets'] });
    expect(await decider.decide(call())).toMatchObject({ decision: 'permit' });
  });

  test('a schema that lists the only entities of a type refuses the others', async () => {
    const listed = filesWith('', ['schema.cedarschema', 'entity Tool;', 'entity Tool enum ["tool", "sql.query"];']);
    const { decider } = readPolicy(listed);
    expect(await decider.decide(mint({ intent: { purpose: '', plan: [READ] } }))).toMatchObject({ decision: 'permit' });
    expect(await decider.decide(mint({ intent: { purpose: '', plan: [READ, WRITE] } }))).toMatchObject({ reasons: ['evaluation-error'] });
  });
});

describe('the policies that can apply', () => {
  const of = (agent: number, capability: string, condition = 'context.risk < 80'): string =>
    `permit (principal == Mayfly::Agent::"agent-${agent}", action == Mayfly::Action::"fetch", resource == Mayfly::Capability::"${capability}") when { ${condition} };`;
  const request = cedarRequest(known({ ...mint(), action: 'fetch' }));
  const asking = (agent: string) => ({ ...request, principal: { ...request.principal, id: agent } });

  test('are found out of a thousand by agent, action and resource', () => {
    const texts = Object.fromEntries(Array.from({ length: 1_000 }, (_, agent) => [`p${agent}`, of(agent, 'orders-db.read')]));
    const found = new ApplicablePolicies({ ...texts, always: 'forbid (principal, action, resource) when { context.risk > 90 };' });
    expect(Object.keys(found.to(asking('agent-7')).texts)).toEqual(['p7', 'always']);
    expect(Object.keys(found.to(asking('agent-x')).texts)).toEqual(['always']);
    expect(found.to(asking('agent-x'))).toBe(found.to(asking('agent-y')));
  });

  test('are found by what their first condition begins with', () => {
    const found = new ApplicablePolicies(
      Object.fromEntries(
        Array.from({ length: 100 }, (_, at) => [
          `p${at}`,
          `permit (principal, action, resource) when { context.workflow == "w${at}" && context.risk < 9 };`,
        ]),
      ),
    );
    expect(Object.keys(found.to({ ...request, context: { ...request.context, workflow: 'w3' } }).texts)).toEqual(['p3']);
    expect([...(found.to(request).reads.context as ReadonlySet<string>)]).toEqual([]);
  });
});
