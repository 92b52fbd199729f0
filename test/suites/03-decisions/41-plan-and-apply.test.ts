/** What a plan foretells is what applying does, seen at the real database; the write that was permitted at the start is denied after the flip. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PolicyFiles } from '@mayfly/policy';
import { figure, secondsSince } from '../../world/faults.js';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { until, World } from '../../world/world.js';

const TASKS = 9;

let world: World;
let policies: PolicyHold;
let example: PolicyFiles;
beforeAll(async () => {
  world = await World.open();
  policies = await holdPolicies(world);
  ({ example } = policies);
}, 300_000);
afterAll(async () => {
  await policies?.release();
  await world?.close();
});

const post = (path: string, body: object) => world.operate(path, { method: 'POST', body: JSON.stringify(body) });

/** The plan, and every loss and gain in it. */
async function plan(files: PolicyFiles) {
  const answer = await fetch(`${world.dev.console.url}/v1/policies/plan`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await world.operatorToken('operator')}`,
      'content-type': 'application/json',
      accept: 'application/x-ndjson',
    },
    body: JSON.stringify({ files, days: 1 }),
  });
  const lines = (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, any>);
  const of = (name: string): any[] => lines.flatMap((line) => (line[name] ? [line[name]] : []));
  return { lost: of('lost'), gained: of('gained'), plan: lines.at(-1)?.['plan'] };
}

test('forecast and effect are the same leases, dead at the target; siblings go on working', async () => {
  const initiator = `plan-${world.newTaskId()}@example.org`;
  const tasks = await Promise.all(
    Array.from({ length: TASKS }, async (_, index) => {
      const person = index % 3 === 2 ? `other-${initiator}` : initiator;
      const taskId = await world.start(['orders-db.read', 'service.cert'], { data: { initiator: { id: person, kind: 'human' } } });
      const secret = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 20 });
      return { taskId, secret, hit: person === initiator };
    }),
  );
  const files = {
    ...example,
    'policies/test-plan.cedar': `@id("test-plan")
forbid (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource == Mayfly::Capability::"orders-db.read")
when { context has initiator && context.initiator == Mayfly::Initiator::"${initiator}" };
`,
  };
  // What other files' sets took away from tasks of theirs may still be under way.
  await until('drift is through', async () => (await plan(example)).lost.length === 0 || undefined);
  const forecast = await plan(files);
  const refs = forecast.lost.flatMap(({ leaseRefs }) => leaseRefs as string[]);
  expect(new Set(refs)).toEqual(new Set(tasks.filter(({ hit }) => hit).map(({ secret }) => secret.leaseRef)));
  expect(forecast.plan.lost).toMatchObject({ total: { leases: 6, permits: 6, grants: 6 }, rows: [{ initiator, policies: ['test-plan'] }] });
  // Other files' tasks are recorded too, decided by other sets.
  expect(forecast.plan.flipped.rows.filter((row: { initiator?: string }) => row.initiator === initiator)).toEqual([
    expect.objectContaining({ initiator, capability: 'orders-db.read', counts: expect.objectContaining({ toDeny: 6 }) }),
  ]);
  // Nothing has changed by looking.
  for (const { secret } of tasks) expect(await world.isRefused(secret.data)).toBe(false);

  const since = performance.now();
  expect(await post('/v1/policies', { files, expected: forecast.plan.current })).toMatchObject({ status: 200, body: { changed: true } });
  for (const { taskId, secret, hit } of tasks) {
    if (!hit) continue;
    await until('the lease is dead', async () => ((await world.isRefused(secret.data)) ? true : undefined), 10);
    expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ leaseRef: secret.leaseRef, cause: 'policy_drift' });
  }
  const seconds = secondsSince(since);
  figure(`${refs.length} leases of ${TASKS} tasks dead at the target ${seconds} s after the apply was asked for`);
  expect(seconds).toBeLessThan(5);
  for (const { taskId, secret, hit } of tasks) {
    if (!hit)
      expect([taskId, await world.isRefused(secret.data), world.eventsOf(taskId, 'credential.revoked')]).toEqual([taskId, false, []]);
  }

  // The way back gives back exactly what was lost.
  const back = await plan(example);
  expect(new Set(back.gained.map(({ taskId }) => taskId))).toEqual(new Set(tasks.filter(({ hit }) => hit).map(({ taskId }) => taskId)));
  expect(back.plan.lost.total).toMatchObject({ leases: 0 });
  expect((await post('/v1/policies/rollback', { reason: 'test' })).status).toBe(200);
  const again = await world.agent().secret(tasks[0]!.taskId, 'orders-db', { waitSeconds: 15 });
  expect(await world.isRefused(again.data)).toBe(false);
  for (const { taskId } of tasks) await world.end(taskId);
}, 90_000);

test('a plan that somebody else overtook is not applied', async () => {
  const { plan: planned } = await plan(example);
  expect(await post('/v1/policies', { files: example, expected: `sha256:${'0'.repeat(64)}` })).toMatchObject({
    status: 409,
    body: { code: 'policy-changed' },
  });
  expect(planned.current).toMatch(/^sha256:/);
});
