/** The kill switch on the running system: what it counts is what ends, nothing slips in behind it, and dark means dead at the target. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { figure } from '../../world/faults.js';
import { until, World } from '../../world/world.js';

const TASKS = 20;

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

const order = (selector: object, dryRun: boolean, as = 'operator') =>
  world.operate('/v1/revocations', { method: 'POST', body: JSON.stringify({ selector, reason: 'drill', dryRun }), as });
const dark = (id: string) =>
  until(
    'all is dark',
    async () => {
      const { body } = await world.operate(`/v1/revocations/${id}`, { as: 'viewer' });
      return body.state === 'dark' ? body : undefined;
    },
    40,
  );
const startOf = (initiator: string, credentials: string | string[] = 'orders-db.read', more: object = {}) =>
  world.start(credentials, { data: { initiator: { id: initiator, kind: 'human' }, ...more } });

test('ends what it counted, and is dark only when the target refuses every credential', async () => {
  const initiator = `kill-${world.newTaskId()}@example.org`;
  const tasks = await Promise.all(Array.from({ length: TASKS }, () => startOf(initiator)));
  const secrets = await Promise.all(tasks.map((taskId) => world.agent().secret(taskId, 'orders-db', { waitSeconds: 20 })));
  const bystander = await world.start('orders-db.read');
  const spared = await world.agent().secret(bystander, 'orders-db', { waitSeconds: 15 });

  const counted = await order({ initiator }, true);
  expect(counted).toMatchObject({ status: 202, body: { dryRun: true, count: TASKS } });
  for (const { data } of secrets.slice(0, 3)) expect(await world.isRefused(data)).toBe(false);

  const { body } = await order({ initiator }, false);
  expect(body).toMatchObject({ dryRun: false, count: TASKS, state: 'ended' });
  const done = await dark(body.id);
  expect(await Promise.all(secrets.map(({ data }) => world.isRefused(data)))).toEqual(Array(TASKS).fill(true));
  expect(done).toMatchObject({ ended: TASKS, leases: { all: TASKS, dead: TASKS, open: 0, stuck: 0 }, problems: [] });
  figure(`${TASKS} tasks dark after ${done.secondsToDark} s`);
  for (const taskId of tasks.slice(0, 3))
    expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ cause: 'operator' });
  expect(await world.isRefused(spared.data)).toBe(false);
  await world.end(bystander);
}, 90_000);

test('catches starts that race with it: none of them lives on, unless it came when all was ended', async () => {
  const initiator = `race-${world.newTaskId()}@example.org`;
  const before = await Promise.all(Array.from({ length: 5 }, () => startOf(initiator)));
  await Promise.all(before.map((taskId) => world.event(taskId, 'grant.issued')));
  let stop = false;
  const racing: Promise<string>[] = [];
  const storm = (async () => {
    while (!stop) {
      racing.push(startOf(initiator));
      await racing.at(-1);
    }
  })();
  const { body } = await order({ initiator }, false);
  stop = true;
  await storm;
  const tasks = await Promise.all(racing);
  const done = await dark(body.id);
  const ended = new Date(done.endedAt).getTime();
  let [caught, refused, later] = [0, 0, 0];
  for (const taskId of [...before, ...tasks]) {
    const grant = await until('the start was read', async () => (await world.operate(`/v1/grants?taskId=${taskId}`)).body.grants[0]);
    if (grant.state === 'denied') {
      expect(grant.credentials[0].reasons).toEqual(['revocation-ordered']);
      refused += 1;
    } else if (grant.endCause === 'operator') caught += 1;
    else {
      expect(new Date(grant.openedAt).getTime()).toBeGreaterThanOrEqual(ended);
      later += 1;
      await world.end(taskId);
    }
  }
  figure(`${tasks.length} starts raced: ${caught - before.length} caught, ${refused} refused, ${later} after it was over`);
  expect(caught).toBeGreaterThanOrEqual(before.length);
}, 90_000);

test('does not call dark what nobody can revoke: a certificate is waited for until it runs out, and named', async () => {
  const initiator = `ssh-${world.newTaskId()}@example.org`;
  const taskId = await startOf(initiator, ['orders-db.read', 'bastion.ssh']);
  await world.agent().secret(taskId, 'bastion', { waitSeconds: 20 });
  const { body } = await order({ taskId }, false);
  const seen = await until('the login is dead', async () => {
    const { body: now } = await world.operate(`/v1/revocations/${body.id}`, { as: 'viewer' });
    return now.leases.dead === 1 ? now : undefined;
  });
  expect(seen).toMatchObject({
    state: 'ended',
    leases: { all: 2, dead: 1 },
    problems: [{ capability: 'bastion.ssh', shape: 'expiry-only', expiresAt: expect.any(String) }],
  });
}, 60_000);
