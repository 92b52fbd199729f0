/** What was permitted at the start, or a moment ago, says nothing about now. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { World } from '../../world/world.js';
import { evaluate, misbehave, question, reasonOf, startCalls, withWorkflows, WRITE } from './calls.js';

let world: World;
let hold: PolicyHold;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
}, 300_000);
afterAll(async () => {
  await hold?.release();
  await world?.close();
});

const NO_WRITES = '@id("no-writes") forbid (principal, action == Mayfly::Action::"call", resource) when { context.access == "write" };\n';
const NO_READS = '@id("no-reads") forbid (principal, action == Mayfly::Action::"call", resource) when { context.access == "read" };\n';

test('write after flip: permitted at the start, the policy flips, the very next write is denied', async () => {
  await hold.apply(withWorkflows(hold.example, { free: '' }));
  const taskId = await startCalls(world, 'free');
  expect(await reasonOf(world, taskId, WRITE)).toBe('policy-permits');
  const digest = await hold.apply(withWorkflows(hold.example, { free: '' }, NO_WRITES));
  expect((await evaluate(world, question(taskId, WRITE))).body).toMatchObject({
    decision: false,
    context: { reason: 'policy-denies', policyDigest: digest },
  });
  // A read that was permitted under the set before is not remembered across it, and neither is one that is denied now.
  expect(await reasonOf(world, taskId)).toBe('policy-permits');
  await hold.apply(withWorkflows(hold.example, { free: '' }, NO_READS));
  expect([await reasonOf(world, taskId), await reasonOf(world, taskId, WRITE)]).toEqual(['policy-denies', 'policy-permits']);
  await world.end(taskId);
}, 60_000);

test('writes that go on without a pause stop with the flip: none is permitted by the old set once the new one is in force', async () => {
  await hold.apply(withWorkflows(hold.example, { free: '' }));
  const taskId = await startCalls(world, 'free');
  const flipped: { digest?: string } = {};
  const late: string[] = [];
  let asked = 0;
  const writer = async (): Promise<void> => {
    for (let after = 0; after < 5;) {
      const inForce = flipped.digest;
      const { body } = await evaluate(world, question(taskId, WRITE));
      asked += 1;
      if (!inForce) continue;
      after += 1;
      if (body.decision !== false || body.context.policyDigest !== inForce) late.push(JSON.stringify(body));
    }
  };
  const writers = [writer(), writer(), writer(), writer()];
  flipped.digest = await hold.apply(withWorkflows(hold.example, { free: '' }, NO_WRITES));
  await Promise.all(writers);
  expect(late).toEqual([]);
  expect(asked).toBeGreaterThanOrEqual(20);
  await world.end(taskId);
}, 60_000);

test('a risk that rises, and an end of the task, are seen by the next call', async () => {
  await hold.apply(withWorkflows(hold.example, { free: '' }));
  const taskId = await startCalls(world, 'free', ['orders-db.read'], { data: { risk: 12 } });
  expect(await reasonOf(world, taskId)).toBe('policy-permits');
  const body = JSON.stringify({ selector: { taskId }, reason: 'test' });
  expect((await world.operate('/v1/revocations', { method: 'POST', body })).status).toBe(202);
  await world.event(taskId, 'credential.revocation-requested');
  expect(await reasonOf(world, taskId)).toBe('task-closed');
}, 60_000);

test('a budget is exact under parallel calls, and what is over it counts for the ladder', async () => {
  await hold.apply(withWorkflows(hold.example, { tight: 'budgets: { calls: 25, rows: 1000 }, behaviour: { warn: 5, suspend: 1000 }' }));
  const [calls, rows] = [await startCalls(world, 'tight'), await startCalls(world, 'tight')];
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, n) => {
      if (n % 3) return [(await evaluate(world, question(calls))).body];
      return (await evaluate(world, { ...question(calls), evaluations: [{}, {}, {}] }, 'evaluations')).body.evaluations;
    }),
  );
  const all = answers.flat() as { decision: boolean; context: { reason: string } }[];
  expect(all).toHaveLength(50);
  expect(all.filter(({ decision }) => decision)).toHaveLength(25);
  expect(new Set(all.filter(({ decision }) => !decision).map(({ context }) => context.reason))).toEqual(new Set(['over-budget']));
  expect(await world.ask(`/v1/tasks/${calls}`)).toMatchObject({ body: { state: 'granted', behaviour: 'warned' } });

  await world.agent().reportUsage(rows, { rows: 999 });
  expect(await reasonOf(world, rows)).toBe('policy-permits');
  expect(await reasonOf(world, rows, { context: { taskId: rows, tool: 'sql.query', usage: { rows: 1, bytes: 80 } } })).toBe('over-budget');
  await misbehave(world, rows, 1);
  for (const taskId of [calls, rows]) await world.end(taskId);
}, 60_000);
