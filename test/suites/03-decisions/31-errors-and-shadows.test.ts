/** Policies that fail, that are only tried out, and that keep a parent from handing work on, in the running system. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { until, World } from '../../world/world.js';

let world: World;
let hold: PolicyHold;
// Each concerns one attempt only, so that other tests go on undisturbed.
const POLICIES = `
@id("fails")
forbid (principal, action, resource)
when { context has attempt && context.attempt == 777 && context.attempt * 9223372036854775807 > 1 };

@id("tried")
@mode("shadow")
forbid (principal, action, resource)
when { context has attempt && context.attempt == 778 };

@id("no-helpers")
forbid (principal, action == Mayfly::Action::"delegate", resource)
when { context has attempt && context.attempt == 779 };
`;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
}, 300_000);
afterAll(async () => {
  await hold?.release();
  await world?.close();
});

const evidence = async (taskId: string, kind: string): Promise<any[]> =>
  ((await world.operate(`/v1/tasks/${taskId}/evidence`)).body.records as any[]).filter(
    (record) => record.kind === `dev.mayfly.evidence.${kind}.v1`,
  );

test('a policy that fails costs what it is about, at once and for whoever comes later; one that is tried out costs nothing', async () => {
  const data = (attempt: number) => ({ data: { attempt } });
  const [failing, tried, other] = await Promise.all([
    world.start('orders-db.read', data(777)),
    world.start('orders-db.read', data(778)),
    world.start('orders-db.read', data(776)),
  ]);
  const secrets = await Promise.all([failing, tried, other].map((id) => world.agent().secret(id, 'orders-db', { waitSeconds: 15 })));

  const digest = await hold.apply({ ...hold.example, 'policies/test-errors.cedar': POLICIES });
  expect((await world.event(failing, 'credential.revoked')).data).toMatchObject({ cause: 'policy_drift' });
  expect(await world.isRefused(secrets[0]!.data)).toBe(true);
  expect(await world.ask(`/v1/tasks/${failing}/secrets/orders-db`)).toMatchObject({ status: 403, body: { code: 'denied' } });
  const late = await world.start('orders-db.read', data(777));
  expect((await world.event(late, 'grant.denied')).data).toMatchObject({
    reason: 'evaluation-error',
    policyDigest: digest,
    credentials: [{ policies: ['fails'] }],
  });

  expect((await world.agent().secret(tried, 'orders-db')).name).toBe('orders-db');
  expect((await world.agent().secret(other, 'orders-db')).name).toBe('orders-db');
  expect(world.eventsOf(other, 'credential.revoked').every(({ data: { cause } }) => cause === 'superseded')).toBe(true);
  const [shadow] = await until('what was tried is in the evidence', async () => {
    const found = await evidence(tried, 'shadow-decided');
    return found.some(({ by }) => by === 'delivery') ? found : undefined;
  });
  expect(shadow.data).toMatchObject({ decision: 'permit', policyDigest: digest, shadow: [{ policy: 'tried', would: 'deny' }] });
  expect(await evidence(other, 'shadow-decided')).toEqual([]);
});

test('a sub-task that its parent may not hand on gets nothing, whatever the parent has', async () => {
  await hold.apply({ ...hold.example, 'policies/test-errors.cedar': POLICIES });
  const [parent, free] = await Promise.all([
    world.start('orders-db.read', { data: { attempt: 779 } }),
    world.start('orders-db.read', { data: { attempt: 1 } }),
  ]);
  await Promise.all([parent, free].map((id) => world.event(id, 'grant.issued')));
  const child = await world.start('orders-db.read', { data: { parentTaskId: parent } });
  const freeChild = await world.start('orders-db.read', { data: { parentTaskId: free } });
  expect((await world.event(child, 'grant.denied')).data).toMatchObject({
    reason: 'delegation-denied',
    credentials: [{ reasons: ['delegation-denied', 'policy-denies'], policies: ['no-helpers'] }],
  });
  expect((await world.event(freeChild, 'grant.issued')).data).toMatchObject({ credentials: [{ decision: 'permit' }] });
});
