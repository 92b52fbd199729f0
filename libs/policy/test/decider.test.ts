import { beforeAll, describe, expect, test } from '@jest/globals';
import { readPolicy, readPolicyFiles, readPolicySet } from '@mayfly/policy';
import type { TaskFacts } from '@mayfly/domain';
import type { CapabilityQuestion, Decider, Decision, PolicyFiles } from '@mayfly/policy';
import fc from 'fast-check';
import { verdictOf } from '../src/verdict-of.js';

let example: PolicyFiles;
beforeAll(async () => {
  example = await readPolicyFiles('deploy/policies/example');
});

const deciderWith = (policies: string, change: (files: PolicyFiles) => PolicyFiles = (files) => files): Decider =>
  readPolicy(change({ ...example, 'policies/more.cedar': policies })).decider;

const question = (task: Partial<TaskFacts> = {}, rest: Partial<CapabilityQuestion> = {}): CapabilityQuestion => ({
  action: 'mint',
  capability: 'orders-db.read',
  at: new Date('2026-11-22T10:00:00Z'),
  task: {
    taskId: 'etl-0042',
    tenant: 'default',
    source: 'urn:example:orchestrator',
    workflow: 'nightly-etl',
    agent: 'spiffe://example.org/agent/etl',
    intent: { purpose: 'refresh the sales mart', plan: [] },
    risk: 0,
    delegationDepth: 0,
    behaviour: 'normal',
    ...task,
  },
  ...rest,
});
const verdict = ({ decision, reasons, policies }: Decision): unknown[] => [decision, ...reasons, ...policies];
const forbidding = (condition: string): Decider =>
  deciderWith(
    `@id("more") forbid (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource) when { ${condition} };`,
  );

describe('a decision', () => {
  test('[bad 64] is a permit only if no policy fails: a forbid that errors would vanish otherwise', async () => {
    const decider = forbidding('context.risk * 9223372036854775807 > 1');
    expect(verdict(await decider.decide(question({ risk: 2 })))).toEqual(['deny', 'evaluation-error', 'more']);
    expect(verdict(await decider.decide(question({ risk: 0 })))).toEqual(['permit', 'policy-permits', 'etl-reads-orders']);
  });

  test('[bad 64] is a deny when a policy forbids, whatever another permits', async () => {
    expect(verdict(await forbidding('context.risk == 7').decide(question({ risk: 7 })))).toEqual(['deny', 'policy-denies', 'more']);
  });

  test.each<[string, string, Partial<TaskFacts>]>([
    [
      'the initiator',
      'context has initiator && context.initiator == Mayfly::Initiator::"mallory"',
      { initiator: { id: 'mallory', kind: 'human' } },
    ],
    [
      'the kind of initiator',
      'context has initiator && context.initiator.kind == "service"',
      { initiator: { id: 'cron', kind: 'service' } },
    ],
    [
      'a tool',
      'context.tools.contains(Mayfly::Tool::"shell")',
      { intent: { purpose: '', plan: [{ tool: 'shell', action: 'run', resource: 'host' }] } },
    ],
    [
      'the data class',
      'context has dataClass && context.dataClass == "secret"',
      { intent: { purpose: '', dataClass: 'secret', plan: [] } },
    ],
    ['the parent', 'context.task in Mayfly::Task::"plan-0007"', { parentTaskId: 'plan-0007' }],
    ['the depth of delegation', 'context.delegationDepth > 2', { delegationDepth: 3 }],
    ['the attempt', 'context has attempt && context.attempt > 5', { attempt: 6 }],
    ['the owner of the agent', 'principal.owner == "data-platform@example.org" && context.risk > 10', { risk: 11 }],
    ['the data class of the capability', 'resource.dataClass == "internal" && context.risk > 10', { risk: 11 }],
  ])('can rest on %s', async (_, condition, task) => {
    const decider = forbidding(condition);
    expect(verdict(await decider.decide(question(task)))).toEqual(['deny', 'policy-denies', 'more']);
    expect(await decider.decide(question())).toMatchObject({ decision: 'permit' });
  });

  test('can rest on the time of day', async () => {
    const decider = forbidding('context.at.toTime() >= duration("22h")');
    expect(await decider.decide(question())).toMatchObject({ decision: 'permit' });
    expect(await decider.decide(question({}, { at: new Date('2026-11-22T22:00:00Z') }))).toMatchObject({ decision: 'deny' });
  });

  test('follows a suspended agent', async () => {
    const suspended = deciderWith('', (files) => ({
      ...files,
      'registrations.yaml': files['registrations.yaml']?.replace('active', 'suspended') ?? '',
    }));
    expect(verdict(await suspended.decide(question()))).toEqual(['deny', 'agent-suspended']);
  });

  test('has an id of its own and the digest of its set', async () => {
    const decider = deciderWith('');
    const [one, two] = await Promise.all([decider.decide(question()), decider.decide(question())]);
    expect(one.id).not.toBe(two.id);
    expect(one.policyDigest).toBe(readPolicySet({ ...example, 'policies/more.cedar': '' }).digest);
  });

  test.each<[string, Partial<TaskFacts>]>([
    ['a risk that is no number', { risk: NaN }],
    ['a risk with a fraction', { risk: 0.5 }],
    ['a field that is missing', { delegationDepth: undefined as unknown as number }],
    ['no intent at all', { intent: undefined as unknown as TaskFacts['intent'] }],
  ])('is a deny, never an exception, for %s', async (_, task) => {
    expect(verdict(await deciderWith('').decide(question(task)))).toEqual(['deny', 'evaluation-error']);
  });

  const good = { decision: 'allow', diagnostics: { reason: ['p'], errors: [] } };
  test.each<[string, unknown]>([
    ['undefined', { type: 'success', response: { ...good, decision: undefined } }],
    ['true', { type: 'success', response: { ...good, decision: true } }],
    ['Allow', { type: 'success', response: { ...good, decision: 'Allow' } }],
    ['an allow that no policy gave', { type: 'success', response: { ...good, diagnostics: { reason: [], errors: [] } } }],
    ['an allow with an error', { type: 'success', response: { ...good, diagnostics: { reason: ['p'], errors: [{ policyId: 'q' }] } } }],
    ['an allow in a failure', { type: 'failure', response: good }],
    ['an answer without a type', { response: good }],
  ])('[bad 64] is a deny when the engine answers %s', (_, answer) => {
    expect(verdictOf({ type: 'success', response: good } as never).decision).toBe('permit');
    expect(verdictOf(answer as never).decision).toBe('deny');
  });

  test.each(['*', 'orders-db.*', '**', 'sudo', 'sys/*', 'cap-orders-db.read', 'orders-db.read\u0000'])(
    '[bad 66] is a deny for %j: a capability is a name, never a pattern',
    async (capability) => {
      expect(verdict(await deciderWith('').decide(question({}, { capability })))).toEqual(['deny', 'unknown-capability']);
    },
  );

  test.each(['root', 'Root', ' root', 'root ', 'ORDERS-DB.READ', ' orders-db.read', 'orders-db.read ', 'оrders-db.read'])(
    '[bad 67] is a deny for %j: names are compared as they are',
    async (capability) => {
      expect(verdict(await deciderWith('').decide(question({}, { capability })))).toEqual(['deny', 'unknown-capability']);
    },
  );

  test('is a deny for a time that is none', async () => {
    expect(verdict(await deciderWith('').decide(question({}, { at: new Date(NaN) })))).toEqual(['deny', 'evaluation-error']);
  });

  test('never turns into a permit by anything written as the purpose', async () => {
    const decider = deciderWith('');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('"} || true || {"')), async (purpose) => {
        const denied = await decider.decide(question({ risk: 80, intent: { purpose, plan: [] } }));
        expect(denied.decision).toBe('deny');
      }),
      { numRuns: 300 },
    );
  });
});
