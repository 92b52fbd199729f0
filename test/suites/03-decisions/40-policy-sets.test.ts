/** Policy sets on the running system: signed, and in force everywhere at once. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '@mayfly/postgres';
import { readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { figure, secondsSince } from '../../world/faults.js';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { signPolicies } from '../../world/sign-policies.js';
import { until, World } from '../../world/world.js';

let world: World;
let ledger: Database;
let policies: PolicyHold;
beforeAll(async () => {
  world = await World.open();
  ledger = openDatabase({ url: world.dev.postgres.url, applicationName: 'test', maxConnections: 2 });
  policies = await holdPolicies(world);
}, 300_000);
afterAll(async () => {
  await policies?.release();
  await ledger?.close();
  await world?.close();
});

const post = (path: string, body: object) => world.operate(path, { method: 'POST', body: JSON.stringify(body) });
/** The example with one policy more, about this initiator only. */
const forbidding = (initiator: string): PolicyFiles => ({
  ...policies.example,
  'policies/test-sets.cedar': `@id("test-sets")
forbid (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource)
when { context has initiator && context.initiator == Mayfly::Initiator::"${initiator}" };
`,
});
const startOf = (initiator: string) => world.start('orders-db.read', { data: { initiator: { id: initiator, kind: 'human' } } });
const someone = (): string => `sets-${world.newTaskId()}@example.org`;

test('whatever is decided after the commit of a signed set is decided by it, at every service; so it is with the one that is gone back to', async () => {
  const initiator = someone();
  const live = await startOf(initiator);
  await world.agent().secret(live, 'orders-db', { waitSeconds: 15 });
  const files = forbidding(initiator);
  const signature = await signPolicies(world, files);

  /** When each service has answered the first question after the commit, in seconds: by the new set, every time. */
  const measured = async (change: () => ReturnType<typeof post>, permitted: boolean) => {
    const asked = performance.now();
    const { status: done, body } = await change();
    expect(done).toBe(200);
    const since = performance.now();
    const [delivery, drift, issuer] = await Promise.all([
      world.ask(`/v1/tasks/${live}/secrets/orders-db`).then(({ status }) => {
        // Permitted again, it may have to wait for the task's token to open it again.
        expect(permitted ? [200, 409] : [403]).toContain(status);
        return secondsSince(since);
      }),
      until('drift has decided again by it', async () => {
        const [row] = await ledger.run<{ digest: string }>('', 'select policy_digest as digest from ledger.task_grant where task_id = $1', [
          live,
        ]);
        return row?.digest === body.policyDigest ? secondsSince(since) : undefined;
      }),
      startOf(initiator).then(async (taskId) => {
        const { data } = await world.event(taskId, permitted ? 'grant.issued' : 'grant.denied');
        expect(data['policyDigest']).toBe(body.policyDigest);
        if (permitted) await world.end(taskId);
        return secondsSince(since);
      }),
    ]);
    figure(
      `${permitted ? 'gone back' : 'applied'} in ${Math.round(since - asked) / 1000} s; first decision by it: delivery ${delivery} s, drift ${drift} s, issuer (start to event) ${issuer} s later`,
    );
    expect(drift).toBeLessThan(5);
  };
  await measured(() => post('/v1/policies', { files, signature }), false);
  await measured(() => post('/v1/policies/rollback', { reason: 'test' }), true);

  await world.agent().secret(live, 'orders-db', { waitSeconds: 15 });

  const { body } = await world.operate('/v1/policies?limit=2', { as: 'viewer' });
  expect(body.policies).toMatchObject([
    { kind: 'rolled_back', current: true, reason: 'test', operator: 'admin' },
    { kind: 'applied', current: false, signer: expect.any(String), policyDigest: readPolicySet(files).digest },
  ]);
  await world.end(live);
}, 60_000);

test('with the signature of another set it counts for nothing', async () => {
  const signature = await signPolicies(world, policies.example);
  expect(await post('/v1/policies', { files: forbidding(someone()), signature })).toMatchObject({
    status: 403,
    body: { code: 'policy-signature-refused' },
  });
});
