import { beforeAll, describe, expect, test } from '@jest/globals';
import type { TaskFacts } from '@mayfly/domain';
import { affects, InvalidPolicySet, readPolicy, readPolicyFiles, readPolicySet, whatChanged } from '@mayfly/policy';
import type { Affected, PolicyFiles, PolicySet } from '@mayfly/policy';
import fc from 'fast-check';

let example: PolicyFiles;
beforeAll(async () => {
  example = await readPolicyFiles('deploy/policies/example');
});

const ETL = 'spiffe://example.org/agent/etl';
const REPORTER = 'spiffe://example.org/agent/reporter';
const SOURCE = 'urn:example:orchestrator';
const SIGNED = 'urn:example:signed-orchestrator';
const edited = (file: string, from: string | RegExp, to: string) => (files: PolicyFiles) => {
  const text = files[file]!.replace(from, to);
  if (text === files[file]) throw new Error(`nothing to replace in ${file}`);
  return { ...files, [file]: text };
};
const more = (policy: string) => (files: PolicyFiles) => ({ ...files, 'policies/more.cedar': `@id("more") ${policy}` });
const compared = (change: (files: PolicyFiles) => PolicyFiles): Affected =>
  whatChanged(readPolicySet(example), readPolicySet(change(example)));

describe('what another set means for live grants', () => {
  test.each<[string, (files: PolicyFiles) => PolicyFiles, Affected]>([
    ['layout and comments: nobody', edited('policies/etl.cedar', /$/, '\n// more to read'), []],
    ['a quota or a key: nobody', edited('registrations.yaml', 'liveTasks: 20000', 'liveTasks: 19999'), []],
    [
      'a policy: whom its scope and its first comparisons name',
      edited('policies/etl.cedar', 'context.risk < 80', 'context.risk < 70'),
      [{ agents: [ETL], capabilities: ['orders-db.read'], workflows: ['nightly-etl'] }],
    ],
    ['a policy for another action: nobody', more('forbid (principal, action == Mayfly::Action::"mint", resource);'), []],
    [
      'a policy about an initiator: their tasks',
      more('forbid (principal, action, resource) when { context has initiator && Mayfly::Initiator::"alice" == context.initiator };'),
      [{ initiators: ['alice'] }],
    ],
    [
      'a policy about handing work on: everybody, for sub-tasks are not told by their parents',
      more('forbid (principal == Mayfly::Agent::"x", action == Mayfly::Action::"delegate", resource) when { context.workflow == "w" };'),
      'all',
    ],
    [
      'a policy that permits handing work on among others: everybody',
      more('permit (principal == Mayfly::Agent::"x", action in [Mayfly::Action::"fetch", Mayfly::Action::"delegate"], resource);'),
      'all',
    ],
    ['a policy about everybody: everybody', more('forbid (principal, action == Mayfly::Action::"fetch", resource);'), 'all'],
    [
      'a comparison after one that may fail: everybody',
      more(
        'forbid (principal, action == Mayfly::Action::"fetch", resource) when { context.risk * 2 > 1 && context.workflow == "reporting" };',
      ),
      'all',
    ],
    [
      'two policies that differ in one name: one slice',
      (files) => ({
        ...files,
        'policies/more.cedar': ['nightly-etl', 'reporting']
          .map(
            (name) =>
              `@id("${name}") forbid (principal, action == Mayfly::Action::"fetch", resource) when { context.workflow == "${name}" };`,
          )
          .join(''),
      }),
      [{ workflows: ['nightly-etl', 'reporting'] }],
    ],
    [
      'a list of workflows: those',
      more('forbid (principal, action == Mayfly::Action::"fetch", resource) when { ["a", "b"].contains(context.workflow) };'),
      [{ workflows: ['a', 'b'] }],
    ],
    [
      'an entry of the catalogue: who has it',
      edited('catalogue.yaml', 'role: orders-read', 'role: orders-peek'),
      [{ capabilities: ['orders-db.read'] }],
    ],
    ['an agent: its tasks', edited('registrations.yaml', 'owner: finance', 'owner: marketing'), [{ agents: [REPORTER] }]],
    [
      'a workflow: its tasks',
      edited('registrations.yaml', 'agents: [spiffe://example.org/agent/reporter]', `agents: [${REPORTER}, ${ETL}]`),
      [{ sources: [SOURCE], workflows: ['reporting'] }],
    ],
    [
      'who left: what is done for them, and the agents that they answer for',
      edited('registrations.yaml', /$/, 'offboarded: [alice, data-platform@example.org]\n'),
      [{ initiators: ['alice', 'data-platform@example.org'] }, { agents: [ETL] }],
    ],
    ['an orchestrator: its tasks', edited('registrations.yaml', /  urn:example:signed[^]*?\n(?=agents:)/, ''), [{ sources: [SIGNED] }]],
    ['the schema: everybody', edited('schema.cedarschema', 'entity Tool;', 'entity Tool;\n  entity Moon;'), 'all'],
  ])('%s', (_, change, affected) => {
    expect(compared(change)).toEqual(affected);
  });
});

const [AGENTS, SOURCES, WORKFLOWS, CAPABILITIES, PEOPLE, TENANTS] = [
  ['a1', 'a2', 'a3'],
  ['urn:s1', 'urn:s2'],
  ['w1', 'w2'],
  ['c1', 'c2'],
  ['alice', 'bob'],
  ['t1', 't2'],
] as const;

const scope = (type: string, names: readonly string[]) =>
  fc.tuple(fc.constantFrom('any', '==', 'in', 'is', 'is in'), fc.constantFrom(...names)).map(([how, name]) => {
    const uid = `Mayfly::${type}::"${name}"`;
    return { any: '', '==': `== ${uid}`, in: `in ${uid}`, is: `is Mayfly::${type}`, 'is in': `is Mayfly::${type} in ${uid}` }[how];
  });
const attribute = (name: string, values: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...values), fc.nat(2))
    .map(([value, form]) =>
      form === 0
        ? `context.${name} == "${value}"`
        : form === 1
          ? `"${value}" == context.${name}`
          : `["${value}"].contains(context.${name})`,
    );
const conjunct = fc.oneof(
  attribute('workflow', WORKFLOWS),
  attribute('source', SOURCES),
  attribute('tenant', TENANTS),
  fc.constantFrom(...PEOPLE).map((name) => `context has initiator && context.initiator == Mayfly::Initiator::"${name}"`),
  fc.constantFrom(...PEOPLE).map((name) => `!(context has initiator && context.initiator == Mayfly::Initiator::"${name}")`),
  fc.constantFrom(
    'context.risk < 50',
    'context.risk * 9223372036854775807 > 1',
    '(context.risk > 50 || context.workflow == "w1")',
    'principal.owner == "o1"',
  ),
);
const policyText = fc
  .record({
    effect: fc.constantFrom('permit', 'permit', 'forbid'),
    principal: scope('Agent', AGENTS),
    action: fc.constantFrom(
      '',
      '== Mayfly::Action::"fetch"',
      '== Mayfly::Action::"mint"',
      'in [Mayfly::Action::"fetch", Mayfly::Action::"mint"]',
    ),
    resource: scope('Capability', CAPABILITIES),
    when: fc.array(conjunct, { maxLength: 3 }),
    unless: fc.option(conjunct),
  })
  .map(
    ({ effect, principal, action, resource, when, unless }) =>
      `${effect} (principal ${principal}, action ${action}, resource ${resource})${when.length > 0 ? ` when { ${when.join(' && ')} }` : ''}${unless ? ` unless { ${unless} }` : ''};`,
  );
const policies = fc.array(policyText, { maxLength: 6 });
const world = fc.record({
  policies,
  agents: fc.tuple(
    ...AGENTS.map(() =>
      fc.option(
        fc.record({
          tenant: fc.constantFrom(...TENANTS),
          owner: fc.constantFrom('o1', 'o2'),
          status: fc.constantFrom('active', 'active', 'suspended'),
        }),
      ),
    ),
  ),
  sources: fc.tuple(
    ...SOURCES.map(() =>
      fc.option(fc.record({ tenant: fc.constantFrom(...TENANTS), listed: fc.tuple(...WORKFLOWS.map(() => fc.subarray([...AGENTS]))) })),
    ),
  ),
  left: fc.subarray([...PEOPLE, 'o1']),
  classes: fc.tuple(...CAPABILITIES.map(() => fc.option(fc.constantFrom('internal', 'secret')))),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const yaml = (value: object): string => JSON.stringify(value);
/** A set of that world; ids of policies are their places, so that two worlds have policies of the same name. */
function setOf({ policies: texts, agents, sources, classes, left }: World): PolicySet {
  const registered = Object.fromEntries(AGENTS.flatMap((id, at) => (agents[at] ? [[id, agents[at]]] : [])));
  const orchestrators = SOURCES.flatMap((source, at) => {
    const said = sources[at];
    if (!said) return [];
    const workflows = WORKFLOWS.flatMap((name, position) => {
      const listed = said.listed[position]!.filter((id) => registered[id]?.tenant === said.tenant);
      return listed.length > 0 ? [{ name, agents: listed, maxDurationSeconds: 60 }] : [];
    });
    return [[source, { tenant: said.tenant, signatures: 'accepted', workflows }]];
  });
  const capabilities = CAPABILITIES.flatMap((name, at) => {
    const entry = {
      engine: 'kv',
      shape: 'static',
      compensation: 'none',
      mint: 'on-fetch',
      mount: 'kv',
      role: name,
      vaultPolicy: `cap-${name}`,
    };
    return classes[at] ? [[name, { ...entry, dataClass: classes[at], maxTtlSeconds: 60, maxFetches: 1, probe: false }]] : [];
  });
  return readPolicySet({
    'schema.cedarschema': example['schema.cedarschema']!,
    'catalogue.yaml': yaml({ capabilities: Object.fromEntries(capabilities) }),
    'registrations.yaml': yaml({ orchestrators: Object.fromEntries(orchestrators), agents: registered, offboarded: left }),
    'policies/all.cedar': texts.map((text, at) => `@id("p${at}") ${text}`).join('\n'),
  });
}

/** The second world is the first with some parts changed: two that have nothing in common affect everybody. */
const worlds = fc
  .tuple(
    world,
    world,
    fc.subarray(['agents', 'sources', 'classes', 'left'] as const),
    fc.array(fc.tuple(fc.nat(5), policyText), { maxLength: 2 }),
  )
  .map(([before, other, parts, edits]) => {
    const texts = [...before.policies];
    for (const [at, text] of edits) texts[Math.min(at, texts.length)] = text;
    return { before, after: { ...before, ...Object.fromEntries(parts.map((part) => [part, other[part]])), policies: texts } };
  });

test('whoever is not named is decided the same by both sets', async () => {
  const task = fc.record({
    agent: fc.constantFrom(...AGENTS),
    source: fc.constantFrom(...SOURCES),
    workflow: fc.constantFrom(...WORKFLOWS),
    tenant: fc.constantFrom(...TENANTS),
    initiator: fc.option(fc.constantFrom(...PEOPLE), { nil: undefined }),
    risk: fc.constantFrom(0, 60),
    capability: fc.constantFrom(...CAPABILITIES),
  });
  let spared = 0;
  await fc.assert(
    fc.asyncProperty(worlds, fc.array(task, { minLength: 60, maxLength: 90 }), async ({ before, after }, tasks) => {
      const [old, now] = [readable(before), readable(after)];
      fc.pre(old !== undefined && now !== undefined);
      const affected = whatChanged(old, now);
      const deciders = [old, now].map(({ files }) => readPolicy(files).decider);
      for (const { capability, initiator, ...rest } of tasks) {
        const facts = {
          taskId: 't',
          ...rest,
          ...(initiator && { initiator: { id: initiator, kind: 'human' } }),
          intent: { purpose: 'p', plan: [] },
          delegationDepth: 0,
          behaviour: 'normal',
        } as TaskFacts;
        if (affects(affected, facts, capability)) continue;
        spared += 1;
        const [first, second] = await Promise.all(
          deciders.map((decider) => decider.decide({ action: 'fetch', capability, task: facts, at: new Date(0) })),
        );
        expect({ ...second, id: '', policyDigest: '' }).toEqual({ ...first, id: '', policyDigest: '' });
      }
    }),
    { numRuns: 30 },
  );
  // Otherwise the property would hold for want of questions.
  expect(spared).toBeGreaterThan(200);
});

/** Cedar's strict mode refuses policies that can never apply. */
function readable(from: World): PolicySet | undefined {
  try {
    return setOf(from);
  } catch (error) {
    if (error instanceof InvalidPolicySet) return undefined;
    throw error;
  }
}
