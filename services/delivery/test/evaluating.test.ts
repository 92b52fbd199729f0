import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newGrantId, type PlanStep, type TaskId } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import type { PolicyFiles, ToolCall } from '@mayfly/policy';
import {
  amendGrant,
  endGrant,
  findGrantByTask,
  insertGrant,
  leasesOf,
  lockGrant,
  openDatabase,
  readStandings,
  readTaskEntries,
  reinstateBehaviour,
  transitionGrant,
} from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, granted, startLedger, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { Evaluating } from '../src/access/evaluating.js';
import type { Asked, Semantic } from '../src/access/question.js';
import { AGENT, deliveryOn, OTHER_AGENT } from './world.js';

let ledger: Ledger;
let world: ReturnType<typeof deliveryOn>;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await applyExample(ledger.database);
  world = deliveryOn(ledger.database);
});
afterEach(() => world.close());

const READ: ToolCall = { tool: 'sql.query', verb: 'read', resource: { type: 'table', id: 'orders' } };
const WRITE: ToolCall = { ...READ, verb: 'write' };
const OFF: ToolCall = { ...READ, resource: { type: 'table', id: 'salaries' } };
const PLAN: readonly PlanStep[] = [
  { tool: 'sql.query', action: 'read', resource: 'orders' },
  { tool: 'sql.query', action: 'write', resource: 'orders' },
  { tool: 'http.get', action: 'read', resource: 'rates', host: 'rates.example.org' },
];

/** The example with this in the registration of `nightly-etl`. */
const registering = (text: string) => (files: PolicyFiles) => ({
  ...files,
  'registrations.yaml': files['registrations.yaml']!.replace('maxDurationSeconds: 14400', `maxDurationSeconds: 14400\n        ${text}`),
});
const without =
  (id: string) =>
  (files: PolicyFiles): PolicyFiles =>
    Object.fromEntries(
      Object.entries(files).map(([path, text]) => [
        path,
        text
          .split(/(?=@id\()/)
          .filter((policy) => !policy.startsWith(`@id("${id}")`))
          .join(''),
      ]),
    );
const live = async (changes: Partial<Grant> = {}): Promise<Grant> =>
  (await granted(ledger.database, { start: task({ intent: { purpose: 'test', plan: PLAN } }), ...changes })).grant;
const ask = (taskId: TaskId, call: ToolCall, subject = { type: 'agent', id: AGENT }): Asked => ({ subject, taskId, call });
const evaluate = (
  asked: readonly Asked[],
  { semantic = 'execute_all', agent = AGENT, on = world }: { semantic?: Semantic; agent?: string; on?: typeof world } = {},
) => on.evaluating.evaluate(agent, { asked, semantic, used: [] });
const one = async (taskId: TaskId, call: ToolCall, on = world) => (await evaluate([ask(taskId, call)], { on }))[0]!;
const reasonOf = async (taskId: TaskId, call: ToolCall) => ((await one(taskId, call)).context as { reason: string }).reason;
const usage = async ({ taskId }: Grant) => (await readStandings(ledger.database, [taskId])).get(taskId)!.usage;
const behaviour = async ({ taskId }: Grant) => (await findGrantByTask(ledger.database, taskId))!.behaviour;
const facts = async ({ taskId }: Grant, kind: string) =>
  (await readTaskEntries(ledger.database, taskId)).filter((fact) => fact.kind === `dev.mayfly.evidence.${kind}.v1`);
const counted = { calls: 0, rows: 0, bytes: 0, refused: 0 };

describe('a call', () => {
  test('on its plan that policy permits is permitted, counted, and evidence with the pinned intent', async () => {
    const grant = await live();
    const answer = await one(grant.taskId, READ);
    expect(answer).toEqual({
      decision: true,
      context: {
        reason: 'policy-permits',
        decisionId: expect.stringMatching(/^d/),
        policyDigest: expect.any(String),
        intentDigest: grant.intentDigest,
      },
    });
    expect(await usage(grant)).toEqual({ ...counted, calls: 1 });
    const { reason: _, ...said } = answer.context as Record<string, unknown>;
    expect(await facts(grant, 'call-decided')).toEqual([
      expect.objectContaining({
        by: 'delivery',
        data: { ...said, ...READ, agent: AGENT, decision: 'permit', reasons: ['policy-permits'], policies: ['etl-calls-to-read'] },
      }),
    ]);
  });

  test.each<[string, ToolCall]>([
    ['tool', { ...READ, tool: 'shell' }],
    ['verb', { ...READ, verb: 'drop' }],
    ['dataset', OFF],
    ['host', { ...READ, host: 'evil.example.org' }],
    ['host, where the plan names one', { tool: 'http.get', verb: 'read', resource: { type: 'url', id: 'rates' } }],
  ])('off its plan by its %s is denied, and an attempt to escalate', async (_, call) => {
    const grant = await live();
    expect(await one(grant.taskId, call)).toMatchObject({
      decision: false,
      context: { reason: 'off-plan', intentDigest: grant.intentDigest },
    });
    expect(await facts(grant, 'escalation-attempt')).toMatchObject([
      { data: { ...call, decision: 'deny', intentDigest: grant.intentDigest } },
    ]);
    expect(await usage(grant)).toEqual({ ...counted, refused: 1 });
  });

  test('on its plan to the very host is permitted by policy alone', async () => {
    const grant = await live();
    const call = { tool: 'http.get', verb: 'read', resource: { type: 'url', id: 'rates' }, host: 'rates.example.org' };
    expect(await reasonOf(grant.taskId, call)).toBe('policy-permits');
  });

  test('on its plan that policy does not permit is denied', async () => {
    const grant = await live({ risk: 60 });
    expect(await reasonOf(grant.taskId, READ)).toBe('policy-permits');
    expect(await reasonOf(grant.taskId, WRITE)).toBe('no-policy-permits');
  });

  test('of a plan that somebody widened in the ledger is denied: the pinned one counts', async () => {
    const grant = await live();
    await ledger.database.run(
      '',
      `update ledger.task_grant set request = jsonb_set(request, '{intent,plan,0,resource}', '"salaries"') where id = $1`,
      [grant.id],
    );
    expect(await reasonOf(grant.taskId, OFF)).toBe('intent-changed');
    expect(await usage(grant)).toEqual(counted);
  });

  test('of another agent’s task looks like one of a task that nobody knows, and leaves the task as it is', async () => {
    const grant = await live();
    const foreign = await evaluate([ask(grant.taskId, OFF)], { agent: OTHER_AGENT });
    const unknown = await evaluate([ask('nobody' as TaskId, OFF)], { agent: OTHER_AGENT });
    expect(foreign).toEqual(unknown);
    expect(foreign).toEqual([{ decision: false, context: { reason: 'task-not-found' } }]);
    expect([await usage(grant), await readTaskEntries(ledger.database, grant.taskId)]).toEqual([counted, []]);
  });

  test('in another’s name is denied', async () => {
    const grant = await live();
    for (const subject of [
      { type: 'agent', id: OTHER_AGENT },
      { type: 'user', id: AGENT },
    ])
      expect(await evaluate([ask(grant.taskId, READ, subject)])).toMatchObject([
        { decision: false, context: { reason: 'subject-mismatch' } },
      ]);
  });

  test('of a task that is not live is denied, and counts for nothing', async () => {
    const [late, ended] = [await live(), await live()];
    world.clock.advance(late.deadline!.getTime() - AT.getTime());
    expect(await reasonOf(late.taskId, READ)).toBe('task-closed');
    await world.close();
    world = deliveryOn(ledger.database);
    await ledger.database.transaction('test', async (tx) => {
      await endGrant(tx, (await lockGrant(tx, ended.id))!, { cause: 'task_ended', by: 'revoker', at: AT });
    });
    expect(await reasonOf(ended.taskId, READ)).toBe('task-closed');
    const start = task();
    const denied = newGrantId();
    await insertGrant(ledger.database, {
      id: denied,
      taskId: start.taskId,
      tenant: 'default',
      source: 's',
      state: 'requested',
      request: start,
      agentId: AGENT,
      risk: 0,
      openedAt: AT,
    });
    expect(await reasonOf(start.taskId, READ)).toBe('not-ready');
    await transitionGrant(ledger.database, denied, 'requested', 'denied');
    expect(await reasonOf(start.taskId, READ)).toBe('denied');
    expect(await usage(ended)).toEqual(counted);
    expect(await facts(ended, 'call-decided')).toMatchObject([{ data: { decision: 'deny', reasons: ['task-closed'] } }]);
  });
});

describe('deciding at request time', () => {
  test('a write that was permitted is denied right after the policy flips', async () => {
    const grant = await live();
    expect(await reasonOf(grant.taskId, WRITE)).toBe('policy-permits');
    const digest = await applyExample(ledger.database, without('etl-calls-to-write'));
    expect(await one(grant.taskId, WRITE)).toMatchObject({
      decision: false,
      context: { reason: 'no-policy-permits', policyDigest: digest },
    });
  });

  test('a flip between the decision and its count is seen: nothing is permitted by a set that is not current any more', async () => {
    const grant = await live();
    let flipped: string | undefined;
    world.hooks.afterDecision = async () => {
      flipped ??= await applyExample(ledger.database, without('etl-calls-to-write'));
    };
    expect(await one(grant.taskId, WRITE)).toMatchObject({ decision: false, context: { policyDigest: flipped } });
    expect(await facts(grant, 'call-decided')).toHaveLength(1);
    expect(await usage(grant)).toEqual({ ...counted, refused: 1 });
  });

  test('a risk that rises between the two, or an end of the task, is seen too', async () => {
    const [risky, ended] = [await live(), await live()];
    world.hooks.afterDecision = () => amendGrant(ledger.database, risky.id, 'granted', { risk: 90 });
    expect(await one(risky.taskId, READ)).toMatchObject({ decision: false, context: { reason: 'no-policy-permits' } });
    world.hooks.afterDecision = () =>
      ledger.database.transaction('test', async (tx) =>
        endGrant(tx, (await lockGrant(tx, ended.id))!, { cause: 'task_ended', by: 'revoker', at: AT }),
      );
    expect(await one(ended.taskId, READ)).toMatchObject({ decision: false, context: { reason: 'task-closed' } });
  });

  test('what never stands still is given up, without an answer that rests on nothing', async () => {
    const grant = await live();
    let risk = 0;
    world.hooks.afterDecision = () => amendGrant(ledger.database, grant.id, 'granted', { risk: (risk += 1) });
    await expect(one(grant.taskId, READ)).rejects.toMatchObject({ code: 'not-ready' });
    expect(await usage(grant)).toEqual(counted);
  });

  test('a read is decided once in a second, a write every time; each answer is counted', async () => {
    const grant = await live();
    let decided = 0;
    world.hooks.afterDecision = async () => void (decided += 1);
    const ids: unknown[] = [];
    for (const milliseconds of [0, 400, 599]) {
      world.clock.advance(milliseconds);
      ids.push(((await one(grant.taskId, READ)).context as { decisionId: string }).decisionId);
    }
    expect([decided, new Set(ids).size]).toEqual([1, 1]);
    world.clock.advance(1);
    await one(grant.taskId, READ);
    await evaluate(Array.from({ length: 5 }, () => ask(grant.taskId, READ)));
    world.clock.advance(1_000);
    await evaluate(Array.from({ length: 5 }, () => ask(grant.taskId, READ)));
    expect(decided).toBe(3);
    await one(grant.taskId, WRITE);
    await one(grant.taskId, WRITE);
    expect(decided).toBe(5);
    expect(await usage(grant)).toMatchObject({ calls: 16 });
    expect(await facts(grant, 'call-decided')).toHaveLength(16);
  });

  test('a remembered read is not used across a policy set, a risk, a behaviour, another call or another task', async () => {
    const [grant, other] = [await live(), await live()];
    let decided = 0;
    world.hooks.afterDecision = async () => void (decided += 1);
    const changes: (() => Promise<unknown>)[] = [
      async () => undefined,
      () => applyExample(ledger.database, without('nobody-owns-orders')),
      () => amendGrant(ledger.database, grant.id, 'granted', { risk: 5 }),
      () => amendGrant(ledger.database, grant.id, 'granted', { behaviour: 'warned' }),
    ];
    for (const [at, change] of changes.entries()) {
      await change();
      await one(grant.taskId, READ);
      expect(decided).toBe(at + 1);
    }
    await one(other.taskId, READ);
    await one(grant.taskId, { ...READ, resource: { type: 'view', id: 'orders' } });
    expect(decided).toBe(6);
  });
});

describe('what was read before', () => {
  const end = async (grant: Grant) =>
    ledger.database.transaction('test', async (tx) =>
      endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'revoker', at: AT }),
    );
  const widen = (grant: Grant) =>
    ledger.database.run(
      '',
      `update ledger.task_grant set request = jsonb_set(request, '{intent,plan,2,action}', '"write"') where id = $1`,
      [grant.id],
    );

  test.each<[string, string, (grant: Grant) => Promise<unknown>]>([
    ['its risk', 'no-policy-permits', ({ id }) => amendGrant(ledger.database, id, 'granted', { risk: 60 })],
    ['its behaviour', 'task-narrowed', ({ id }) => amendGrant(ledger.database, id, 'granted', { behaviour: 'narrowed' })],
    ['its deadline', 'task-closed', ({ id }) => amendGrant(ledger.database, id, 'granted', { deadline: AT })],
    ['its plan in the ledger', 'intent-changed', widen],
    ['its state', 'task-closed', end],
  ])('of a task answers nothing once %s has changed, alone or in a batch', async (_, reason, change) => {
    const [alone, first, second] = [await live(), await live(), await live()];
    const both = () => evaluate([ask(first.taskId, WRITE), ask(second.taskId, WRITE)]);
    expect(await reasonOf(alone.taskId, WRITE)).toBe('policy-permits');
    expect(await both()).toMatchObject([{ decision: true }, { decision: true }]);
    await change(alone);
    await change(second);
    expect(await reasonOf(alone.taskId, WRITE)).toBe(reason);
    expect(await both()).toMatchObject([{ decision: true }, { decision: false, context: { reason } }]);
    expect(await usage(alone)).toMatchObject({ calls: 1 });
    expect(await usage(second)).toMatchObject({ calls: 1 });
  });

  test('of a task is not read again while it stands so; of another’s it never spares the reading', async () => {
    const statements: string[] = [];
    const run: typeof ledger.database.run = (name, ...rest) => {
      statements.push(name);
      return ledger.database.run(name, ...rest);
    };
    const watched = deliveryOn({ ...ledger.database, run });
    const grant = await live();
    const read = async (agent: string) => {
      statements.length = 0;
      await evaluate([ask(grant.taskId, WRITE)], { on: watched, agent });
      return statements.filter((name) => name.startsWith('usage.'));
    };
    expect(await read(AGENT)).toEqual(['usage.standing', 'usage.count']);
    expect(await read(AGENT)).toEqual(['usage.count']);
    expect(await read(OTHER_AGENT)).toEqual(['usage.standing']);
    await amendGrant(ledger.database, grant.id, 'granted', { risk: 1 });
    // Nothing was counted, and it is read again before it is.
    expect((await read(AGENT)).slice(-3)).toEqual(['usage.count', 'usage.standing', 'usage.count']);
    expect(await read(AGENT)).toEqual(['usage.count']);
    expect(await usage(grant)).toMatchObject({ calls: 4 });
    await watched.close();
  });
});

describe('no decision, no call', () => {
  test('while no policy set can be used, or the ledger is away, there is no answer that could be taken for a yes', async () => {
    const grant = await live();
    const { policies } = world;
    await ledger.database.run('', 'delete from policy.current');
    await expect(one(grant.taskId, READ)).rejects.toMatchObject({ code: 'policy-unavailable', status: 503 });
    await applyExample(ledger.database);
    expect((await one(grant.taskId, READ)).decision).toBe(true);
    const away = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', applicationName: 'test' });
    const asked = [ask(grant.taskId, READ)];
    const cutOff = new Evaluating({ database: away, policies, clock: world.clock });
    await expect(cutOff.evaluate(AGENT, { asked, semantic: 'execute_all', used: [] })).rejects.toMatchObject({ code: 'store-unavailable' });
    await away.close();
  });

  test('a permit whose evidence cannot be written is none, and is not counted', async () => {
    const grant = await live();
    await ledger.database.run('', 'alter table evidence.intake add constraint closed check (false) not valid');
    try {
      await expect(one(grant.taskId, READ)).rejects.toThrow('closed');
    } finally {
      await ledger.database.run('', 'alter table evidence.intake drop constraint closed');
    }
    expect(await usage(grant)).toEqual(counted);
  });
});

describe('a batch', () => {
  test('is answered in its order, whatever cannot be read in between', async () => {
    const grant = await live();
    const unreadable = { error: { status: 400, message: 'resource: is missing' } };
    const answers = await evaluate([
      ask(grant.taskId, READ),
      ask(grant.taskId, OFF),
      unreadable,
      ask('nobody' as TaskId, READ),
      ask(grant.taskId, WRITE),
    ]);
    expect(answers.map(({ decision }) => decision)).toEqual([true, false, false, false, true]);
    expect(answers[2]).toEqual({ decision: false, context: unreadable });
    expect(await usage(grant)).toEqual({ ...counted, calls: 2, refused: 1 });
  });

  test.each<[Semantic, boolean[], number]>([
    ['execute_all', [true, false, true], 2],
    ['deny_on_first_deny', [true, false], 1],
    ['permit_on_first_permit', [true], 1],
  ])('%s answers and counts no more than it says', async (semantic, decisions, calls) => {
    const grant = await live();
    const answers = await evaluate([ask(grant.taskId, READ), ask(grant.taskId, OFF), ask(grant.taskId, READ)], { semantic });
    expect(answers.map(({ decision }) => decision)).toEqual(decisions);
    expect(await usage(grant)).toMatchObject({ calls });
    expect((await readTaskEntries(ledger.database, grant.taskId)).length).toBe(decisions.length);
  });

  test('permit_on_first_permit goes on until there is one', async () => {
    const grant = await live();
    const answers = await evaluate(
      [ask(grant.taskId, OFF), ask('nobody' as TaskId, READ), ask(grant.taskId, WRITE), ask(grant.taskId, READ)],
      {
        semantic: 'permit_on_first_permit',
      },
    );
    expect(answers.map(({ decision }) => decision)).toEqual([false, false, true]);
  });

  test('may be about several tasks', async () => {
    const [one, other] = [await live(), await live()];
    const answers = await evaluate([ask(one.taskId, READ), ask(other.taskId, READ), ask(one.taskId, READ)]);
    expect(answers.map(({ decision }) => decision)).toEqual([true, true, true]);
    expect([(await usage(one)).calls, (await usage(other)).calls]).toEqual([2, 1]);
  });
});

describe('a budget', () => {
  test('of calls is exact, whatever number of replicas count at the same time', async () => {
    await applyExample(ledger.database, registering('budgets: { calls: 20 }'));
    const grant = await live();
    const replica = deliveryOn(ledger.database);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => one(grant.taskId, READ, n % 2 ? world : replica)));
    await replica.close();
    expect(answers.filter(({ decision }) => decision)).toHaveLength(20);
    const reasons = answers.filter(({ decision }) => !decision).map(({ context }) => (context as { reason: string }).reason);
    expect(new Set(reasons)).toEqual(new Set(['over-budget']));
    expect(await usage(grant)).toEqual({ ...counted, calls: 20, refused: 40 });
  });

  test('that ends in a batch permits what it has room for', async () => {
    await applyExample(ledger.database, registering('budgets: { calls: 3 }'));
    const grant = await live();
    const answers = await evaluate(Array.from({ length: 5 }, () => ask(grant.taskId, READ)));
    expect(answers.map(({ decision }) => decision)).toEqual([true, true, true, false, false]);
  });

  test.each(['rows', 'bytes'] as const)('of %s is used up by what is reported', async (what) => {
    await applyExample(ledger.database, registering(`budgets: { ${what}: 100 }`));
    const grant = await live();
    const report = (count: number) => world.evaluating.report(grant.taskId, AGENT, { rows: 0, bytes: 0, [what]: count });
    await report(99);
    expect(await reasonOf(grant.taskId, READ)).toBe('policy-permits');
    await report(1);
    expect(await reasonOf(grant.taskId, READ)).toBe('over-budget');
  });

  test('takes what a question says of the calls before it, before it is answered', async () => {
    await applyExample(ledger.database, registering('budgets: { rows: 100 }'));
    const grant = await live();
    const used = [{ taskId: grant.taskId, rows: 100, bytes: 7 }];
    const [answer] = await world.evaluating.evaluate(AGENT, { asked: [ask(grant.taskId, READ)], semantic: 'execute_all', used });
    expect(answer).toMatchObject({ decision: false, context: { reason: 'over-budget' } });
    expect(await usage(grant)).toEqual({ calls: 0, rows: 100, bytes: 7, refused: 1 });
  });

  test('nobody reports for another’s task, or for one that is over', async () => {
    const grant = await live();
    const report = (agent: string) => world.evaluating.report(grant.taskId, agent, { rows: 5, bytes: 0 });
    await expect(report(OTHER_AGENT)).rejects.toMatchObject({ code: 'task-not-found' });
    await world.evaluating.evaluate(OTHER_AGENT, {
      asked: [],
      semantic: 'execute_all',
      used: [{ taskId: grant.taskId, rows: 5, bytes: 0 }],
    });
    expect(await usage(grant)).toEqual(counted);
    await ledger.database.transaction('test', async (tx) => {
      await endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'revoker', at: AT });
    });
    await expect(report(AGENT)).rejects.toMatchObject({ code: 'task-closed' });
  });

  test('what was used is never less, whoever writes', async () => {
    const grant = await live();
    await one(grant.taskId, READ);
    await expect(ledger.database.run('', 'update ledger.task_usage set calls = 0 where grant_id = $1', [grant.id])).rejects.toMatchObject({
      code: '23514',
    });
  });
});

describe('the ladder', () => {
  const LADDER = 'behaviour: { warn: 2, narrow: 3, suspend: 4, revoke: 6 }';
  beforeEach(() => applyExample(ledger.database, registering(LADDER)).then(() => undefined));

  test('goes from step to step with the refused calls, each step with its evidence', async () => {
    const grant = await live();
    const seen: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      await one(grant.taskId, OFF);
      seen.push(await behaviour(grant));
    }
    expect(seen).toEqual(['normal', 'warned', 'narrowed', 'suspended', 'suspended']);
    expect(await facts(grant, 'behaviour-raised')).toMatchObject([
      { data: { from: 'normal', behaviour: 'warned', refused: 2, agent: AGENT } },
      { data: { from: 'warned', behaviour: 'narrowed', refused: 3 } },
      { data: { from: 'narrowed', behaviour: 'suspended', refused: 4 } },
    ]);
    expect(await reasonOf(grant.taskId, READ)).toBe('task-suspended');
    expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({
      state: 'closing',
      endCause: 'behaviour_drift',
      endDrift: 'behaviour',
    });
    expect(await leasesOf(ledger.database, grant.id)).toMatchObject([{ state: 'revoking', cause: 'behaviour_drift', drift: 'behaviour' }]);
    expect(await reasonOf(grant.taskId, READ)).toBe('task-closed');
  });

  test('lets a narrowed task read and not write', async () => {
    const grant = await live();
    await evaluate(Array.from({ length: 3 }, () => ask(grant.taskId, OFF)));
    expect(await behaviour(grant)).toBe('narrowed');
    expect(await reasonOf(grant.taskId, READ)).toBe('policy-permits');
    expect(await reasonOf(grant.taskId, WRITE)).toBe('task-narrowed');
  });

  test('takes its step in the middle of a batch: what comes after is judged by it', async () => {
    const grant = await live();
    const answers = await evaluate([...Array.from({ length: 4 }, () => ask(grant.taskId, OFF)), ask(grant.taskId, READ)]);
    expect(answers.at(-1)).toMatchObject({ decision: false, context: { reason: 'task-suspended' } });
  });

  test('counts exactly, whatever number of replicas refuse at the same time, and takes each step once', async () => {
    const grant = await live();
    const replica = deliveryOn(ledger.database);
    await Promise.all(Array.from({ length: 3 }, (_, n) => one(grant.taskId, OFF, n % 2 ? world : replica)));
    await replica.close();
    expect(await usage(grant)).toMatchObject({ refused: 3 });
    expect((await facts(grant, 'behaviour-raised')).map(({ data }) => data['behaviour'])).toEqual(['warned', 'narrowed']);
  });

  test('takes the sub-tasks along', async () => {
    const grant = await live();
    const child = await live({ parentGrantId: grant.id, delegationDepth: 1 });
    const grandchild = await live({ parentGrantId: child.id, delegationDepth: 2 });
    const stranger = await live();
    await evaluate(Array.from({ length: 4 }, () => ask(grant.taskId, OFF)));
    expect(await Promise.all([child, grandchild, stranger].map(behaviour))).toEqual(['suspended', 'suspended', 'normal']);
    expect(await facts(child, 'behaviour-raised')).toMatchObject([
      { data: { behaviour: 'warned', parentTaskId: grant.taskId } },
      { data: { behaviour: 'narrowed' } },
      { data: { behaviour: 'suspended' } },
    ]);
  });

  test('does not count what is no behaviour: a policy that fails, a registration that is gone', async () => {
    const grant = await live({ risk: 12 });
    const overflow = '@id("overflow") forbid (principal, action, resource) when { context.risk * 9223372036854775807 > 0 };';
    await applyExample(ledger.database, (files) => ({ ...registering(LADDER)(files), 'policies/more.cedar': overflow }));
    for (let n = 0; n < 7; n += 1) expect(await reasonOf(grant.taskId, READ)).toBe('evaluation-error');
    expect([await usage(grant), await behaviour(grant)]).toEqual([counted, 'normal']);
    await applyExample(ledger.database, (files) => {
      const set = registering(LADDER)(files);
      return {
        ...set,
        'registrations.yaml': set['registrations.yaml'].replace('status: active\n    owner: data', 'status: suspended\n    owner: data'),
      };
    });
    for (let n = 0; n < 5; n += 1) expect(await reasonOf(grant.taskId, READ)).toBe('agent-suspended');
    expect([await usage(grant), await behaviour(grant)]).toEqual([counted, 'normal']);
  });

  test('is climbed down only by who reinstates the task, and then afresh', async () => {
    const grant = await live();
    await evaluate(Array.from({ length: 4 }, () => ask(grant.taskId, OFF)));
    const before = await ledger.database.transaction('test', (tx) => reinstateBehaviour(tx, grant.taskId));
    expect(before).toMatchObject({ behaviour: 'suspended' });
    expect(await reasonOf(grant.taskId, READ)).toBe('policy-permits');
    await one(grant.taskId, OFF);
    expect([await usage(grant), await behaviour(grant)]).toMatchObject([{ refused: 1 }, 'normal']);
  });
});
