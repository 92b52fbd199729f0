import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PolicyFiles } from '@mayfly/policy';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { until, World } from '../../world/world.js';

let world: World;
let hold: PolicyHold;
let example: PolicyFiles;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
  ({ example } = hold);
}, 300_000);
afterAll(async () => {
  await hold?.release();
  await world?.close();
});

const apply = (files: PolicyFiles): Promise<string> => hold.apply(files);
/** The example with one policy more; it only concerns tasks of the initiator, so that other tests go on undisturbed. */
const forbidding = (initiator: string, capability: string): PolicyFiles => ({
  ...example,
  'policies/test-drift.cedar': `@id("test-drift")
forbid (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource == Mayfly::Capability::"${capability}")
when { context has initiator && context.initiator == Mayfly::Initiator::"${initiator}" };
`,
});

test('a changed policy set revokes exactly what was lost, at the target; siblings go on working', async () => {
  const initiator = `drift-${world.newTaskId()}@example.org`;
  const data = { initiator: { id: initiator, kind: 'human' } };
  const hit = await world.start(['orders-db.read', 'service.cert'], { data });
  const untouched = await world.start('orders-db.read');
  const lost = await world.agent().secret(hit, 'orders-db', { waitSeconds: 15 });
  await world.agent().secret(hit, 'service', { waitSeconds: 15 });
  const kept = await world.agent().secret(untouched, 'orders-db', { waitSeconds: 15 });

  const digest = await apply(forbidding(initiator, 'orders-db.read'));
  expect((await world.event(hit, 'credential.revoked')).data).toMatchObject({
    cause: 'policy_drift',
    credential: 'orders-db',
    leaseRef: lost.leaseRef,
  });
  expect(await world.isRefused(lost.data)).toBe(true);
  expect(await world.isRefused(kept.data)).toBe(false);
  expect((await world.agent().task(hit)).credentials).toMatchObject([{ state: 'revoked' }, { state: 'active' }]);
  expect(world.eventsOf(untouched, 'credential.revoked')).toEqual([]);
  const refused = await world.ask(`/v1/tasks/${hit}/secrets/orders-db`);
  expect(refused).toMatchObject({ status: 403, body: { code: 'denied', decisionId: expect.any(String) } });

  // A start after the change is decided by the new set.
  const late = await world.start('orders-db.read', { data });
  expect((await world.event(late, 'grant.denied')).data).toMatchObject({
    policyDigest: digest,
    credentials: [{ policies: ['test-drift'] }],
  });

  // Undone: what was lost may be fetched afresh, by the same task.
  await apply(example);
  const again = await world.agent().secret(hit, 'orders-db', { waitSeconds: 15 });
  expect(await world.isRefused(again.data)).toBe(false);
  for (const taskId of [hit, untouched]) await world.end(taskId);
}, 60_000);

test('a silent task has lost its heartbeat where its workflow expects one', async () => {
  const watched = {
    ...example,
    'registrations.yaml': example['registrations.yaml']!.replace(
      /- name: nightly-etl\n/,
      (line) => `${line}        heartbeatTimeoutSeconds: 3\n`,
    ),
  };
  expect(watched['registrations.yaml']).not.toBe(example['registrations.yaml']);
  await apply(watched);
  const silent = await world.start('orders-db.read');
  const alive = await world.start('orders-db.read');
  await world.event(alive, 'credential.issued');
  await apply(example); // later starts of other tests are not watched
  const { data } = await world.agent().secret(silent, 'orders-db', { waitSeconds: 15 });
  let beats = 0;
  await until('the silent task was ended, the other one kept by its heartbeats', async () => {
    beats += 1;
    if (beats % 2) await world.agent().heartbeat(alive);
    else await world.send('dev.mayfly.task.heartbeat.v1', alive, { data: { taskId: alive } });
    return world.eventsOf(silent, 'credential.revoked').length > 0 ? true : undefined;
  });
  expect(world.eventsOf(silent, 'credential.revoked')[0]?.data).toMatchObject({ cause: 'lost_heartbeat' });
  expect(await world.isRefused(data)).toBe(true);
  expect((await world.agent().task(alive)).state).toBe('granted');
  await world.end(alive);
}, 60_000);

test('only an admin applies, and a set that is wrong changes nothing', async () => {
  const body = JSON.stringify({
    files: { ...example, 'policies/broken.cedar': '@id("x") permit (principal, action, resource) when { context.nonsense };' },
  });
  expect(await world.operate('/v1/policies', { method: 'POST', body })).toMatchObject({
    status: 400,
    body: { code: 'invalid-policy-set' },
  });
  expect(await world.operate('/v1/policies', { method: 'POST', body, as: 'operator' })).toMatchObject({
    status: 403,
    body: { code: 'forbidden' },
  });
});

test('a risk signal ends what its subject may no longer have', async () => {
  const taskId = await world.start('orders-db.read');
  const { data } = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  await world.produce(
    {
      key: taskId,
      value: JSON.stringify({
        specversion: '1.0',
        id: `risk-${taskId}`,
        source: 'urn:example:orchestrator',
        type: 'dev.mayfly.signal.risk.v1',
        data: { subject: { taskId }, risk: 90, reason: 'odd queries' },
      }),
      headers: { 'content-type': 'application/cloudevents+json' },
    },
    'mayfly.signals',
  );
  expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ cause: 'risk_signal' });
  expect(await world.isRefused(data)).toBe(true);
  expect((await world.ask(`/v1/tasks/${taskId}/secrets/orders-db`)).status).toBe(403);
  await world.end(taskId);
});
