import { describe, expect, test } from '@jest/globals';
import type { Behaviour, TaskFacts } from '@mayfly/domain';
import { call, deciderWith, delegate, ETL, mint, READ, REPORTER, verdict, WRITE } from './questions.js';

const PERMIT_ALL = '@id("all") permit (principal, action, resource);';
const open = deciderWith(PERMIT_ALL);
const registrations = (from: string | RegExp, to: string) => deciderWith(PERMIT_ALL, ['registrations.yaml', from, to]);
const offboarding = (id: string) => registrations(/$/, `\noffboarded: [${id}]\n`);
const plan = (...steps: TaskFacts['intent']['plan']) => ({ intent: { purpose: 'p', plan: steps } });

describe('whatever policies permit, refused is', () => {
  test.each([
    ['everything of a task whose initiator left', offboarding('alice'), 'initiator-offboarded'],
    ['everything of an agent whose owner left', offboarding('data-platform@example.org'), 'agent-owner-gone'],
    ['everything of a suspended agent', registrations('active', 'suspended'), 'agent-suspended'],
  ])('%s', async (_, decider, reason) => {
    const task = { initiator: { id: 'alice', kind: 'human' } } as const;
    for (const question of [mint(task), call(task), delegate(task)]) {
      expect(verdict(await decider.decide(question))).toEqual(['deny', reason]);
      expect((await open.decide(question)).decision).toBe('permit');
    }
  });

  test('nothing because of somebody else who left', async () => {
    const decider = offboarding('mallory');
    expect((await decider.decide(mint({ initiator: { id: 'alice', kind: 'human' } }))).decision).toBe('permit');
  });

  test.each([
    ['an agent that nobody registered', open, `${ETL}2`, 'unregistered-agent'],
    ['a suspended agent', registrations(/(reporter:\n.*\n.*)active/, '$1suspended'), REPORTER, 'agent-suspended'],
    ['an agent whose owner left', offboarding('finance-reporting@example.org'), REPORTER, 'agent-owner-gone'],
    [
      'an agent of another tenant',
      registrations('agents:\n  spiffe', 'agents:\n  spiffe://x:\n    { tenant: other, status: active, owner: o }\n  spiffe'),
      'spiffe://x',
      'tenant-mismatch',
    ],
  ])('to hand work to %s', async (_, decider, to, reason) => {
    expect(verdict(await decider.decide(delegate({}, to)))).toEqual(['deny', reason]);
  });

  test.each<[string, Parameters<typeof call>[1], TaskFacts['intent']['plan']]>([
    ['another tool', { ...READ, tool: 'sql.execute' }, [READ]],
    ['another verb', { ...READ, action: 'write' }, [READ]],
    ['another resource', { ...READ, resource: 'customers' }, [READ]],
    ['a case twin', { ...READ, resource: 'Orders' }, [READ]],
    ['a host where none was planned', { ...READ, host: 'a.example' }, [READ]],
    ['another host', { ...READ, host: 'b.example' }, [{ ...READ, host: 'a.example' }]],
    ['no host where one was planned', READ, [{ ...READ, host: 'a.example' }]],
    ['parts of two steps', { ...READ, action: 'write' }, [READ, WRITE]],
    ['anything without a plan', READ, []],
  ])('a call off the plan: %s', async (_, step, steps) => {
    expect(verdict(await open.decide(call(plan(...steps), step)))).toEqual(['deny', 'off-plan']);
  });

  test('no call that is on the plan, host and all', async () => {
    const step = { ...READ, host: 'a.example' };
    expect((await open.decide(call(plan(WRITE, step), step))).decision).toBe('permit');
  });

  test.each<[Behaviour, string[]]>([
    ['normal', ['permit', 'permit', 'permit', 'permit', 'permit']],
    ['warned', ['permit', 'permit', 'permit', 'permit', 'permit']],
    ['narrowed', ['permit', 'task-narrowed', 'permit', 'task-narrowed', 'task-narrowed']],
    ['suspended', Array.from({ length: 5 }, () => 'task-suspended')],
  ])('what a task that is %s may do no more', async (behaviour, expected) => {
    const task = { behaviour };
    const questions = [mint(task), mint(task, 'service.cert'), call(task), call(task, WRITE), delegate(task)];
    const said = await Promise.all(questions.map((question) => open.decide(question)));
    expect(said.map(({ decision, reasons }) => (decision === 'permit' ? decision : reasons[0]))).toEqual(expected);
  });

  test('a task whose behaviour nobody knows', async () => {
    expect(verdict(await open.decide(mint({ behaviour: 'Suspended' as Behaviour })))).toEqual(['deny', 'evaluation-error']);
  });
});

describe('a decision', () => {
  test('is pinned to the declared intent, whatever the order of its fields, also when it is a refusal', async () => {
    const one = await open.decide(mint({ intent: { purpose: 'p', plan: [READ] } }));
    const { tool, action, resource } = READ;
    const same = await open.decide(mint({ intent: { plan: [{ resource, action, tool }], purpose: 'p' } }, 'unknown'));
    expect(same.intentDigest).toBe(one.intentDigest);
    for (const other of [
      { purpose: 'q', plan: [READ] },
      { purpose: 'p', plan: [WRITE] },
      { purpose: 'p', plan: [READ], dataClass: 'x' },
    ]) {
      expect((await open.decide(mint({ intent: other }))).intentDigest).not.toBe(one.intentDigest);
    }
  });
});
