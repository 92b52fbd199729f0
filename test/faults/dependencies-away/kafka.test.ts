import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { Faults, figure, secondsOf, secondsSince } from '../../world/faults.js';
import { until, World } from '../../world/world.js';

const TASKS = 5;
const DRAINED_SECONDS = 15;

let world: World;
let faults: Faults;
beforeAll(async () => {
  world = await World.open();
  faults = new Faults(world.dev);
  await faults.mend();
}, 120_000);
afterEach(() => faults.mend(), 120_000);
afterAll(async () => {
  await faults?.close();
  await world?.close();
});

/** A task with its secret; the credential dies after so many seconds by itself. */
const started = async (ttlSeconds?: number) => {
  const taskId = await world.start([{ name: 'orders-db', capability: 'orders-db.read', ...(ttlSeconds && { ttlSeconds }) }]);
  return { taskId, secret: (await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 })).data };
};

describe('Kafka', () => {
  test.each<[string, () => Promise<void>]>([
    ['is gone', () => faults.wire('kafka').cut()],
    ['hangs: connections open, nothing comes', () => faults.wire('kafka').hang()],
    ['breaks connections off before each answer', () => faults.wire('kafka').reset()],
    ['is slow', () => faults.wire('kafka').slow(2_500)],
  ])(
    '%s: secrets are handed out, credentials die by the clock, and events leave and arrive afterwards',
    async (how, breakIt) => {
      const short = await Promise.all(Array.from({ length: TASKS }, () => started(6)));
      const bornAt = performance.now();
      const live = await Promise.all(Array.from({ length: TASKS }, () => started()));
      const unfetched = await world.start('orders-db.read');
      await world.event(unfetched, 'credential.issued');
      const pids = faults.pids();
      await breakIt();

      expect((await world.ask(`/v1/tasks/${unfetched}/secrets/orders-db`)).status).toBe(200);
      for (const { taskId } of live) await world.end(taskId); // reaches Kafka, but nobody who reads it
      const waiting = await Promise.all(Array.from({ length: TASKS }, () => world.start('orders-db.read')));
      for (const { secret } of short)
        await until('it died by the clock', async () => ((await world.isRefused(secret)) ? true : undefined), 15);
      const died = secondsSince(bornAt);
      expect(died).toBeLessThan(6 + 5);
      expect((await faults.says('revoker', 'healthz')).status).toBe(200);

      const since = performance.now();
      await faults.mend();
      for (const { taskId } of live) await world.event(taskId, 'credential.revoked', () => true, 30);
      for (const { taskId } of short) await world.event(taskId, 'credential.revoked', () => true, 30);
      for (const taskId of waiting) await world.event(taskId, 'credential.issued', () => true, 30);
      const drained = secondsSince(since);
      for (const { secret } of live) expect(await world.isRefused(secret)).toBe(true);
      for (const taskId of waiting) expect(world.eventsOf(taskId, 'credential.issued')).toHaveLength(1);
      expect(drained).toBeLessThan(DRAINED_SECONDS + 5); // a client that waits for an answer learns of its loss after ten seconds
      expect(faults.pids()).toEqual(pids);
      figure(
        `${how}: ${TASKS} six-second credentials dead ${died} s after birth; everything read and published ${drained} s after the fault`,
      );
      for (const taskId of [...waiting, unfetched, ...short.map((each) => each.taskId)]) await world.end(taskId);
    },
    120_000,
  );

  test('killed while credentials die by the clock: they die in time, and it is said when Kafka is back', async () => {
    const short = await Promise.all(Array.from({ length: TASKS }, () => started(4)));
    const bornAt = performance.now();
    faults.stop('kafka'); // longer away than a restart takes
    for (const { secret } of short)
      await until('it died by the clock', async () => ((await world.isRefused(secret)) ? true : undefined), 15);
    const died = secondsSince(bornAt);
    expect(died).toBeLessThan(4 + 5);
    const killed = faults.pid('kafka');
    faults.kill('kafka');
    await until('Kafka is started again', () => (faults.pid('kafka') === killed ? undefined : true), 30).catch(() => undefined);
    faults.forget('kafka');
    const said = await secondsOf(async () => {
      for (const { taskId } of short) await world.event(taskId, 'credential.revoked', () => true, 60);
    });
    figure(`killed: ${TASKS} four-second credentials dead ${died} s after birth; all events there ${said} s after the kill`);
    for (const { taskId } of short) await world.end(taskId);
  }, 120_000);

  test('members join and leave all the time: each start is minted once, each end is proven, nothing is stuck', async () => {
    const client = new kafkajs.Kafka({ brokers: world.dev.kafka.brokers, clientId: 'intruder', logLevel: kafkajs.logLevel.NOTHING });
    let comings = 0;
    let storm = true;
    // It takes partitions, handles nothing, commits nothing, and is gone again two seconds later.
    const come = async (groupId: string) => {
      const consumer = client.consumer({ groupId });
      await consumer.connect();
      await consumer.subscribe({ topics: ['mayfly.tasks'] });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined });
      comings += 1;
      return consumer;
    };
    const storming = (async () => {
      while (storm) {
        const members = await Promise.all(['mayfly-issuer', 'mayfly-revoker'].map(come));
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        await Promise.all(members.map((member) => member.disconnect()));
      }
    })();
    const tasks: string[] = [];
    for (let i = 0; i < 40; i += 1) {
      tasks.push(await world.start('orders-db.read'));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const during = tasks.filter((taskId) => world.eventsOf(taskId, 'credential.issued').length > 0).length;
    for (const taskId of tasks) await world.end(taskId);
    storm = false;
    await storming;
    const seconds = await secondsOf(async () => {
      // The revoker may have read an end before the issuer came to its start, which is then parked.
      const over = (taskId: string) =>
        Promise.any([world.event(taskId, 'grant.closed', () => true, 60), world.deadLetter(taskId, 'task-ended')]);
      for (const taskId of tasks) await over(taskId);
    });
    for (const taskId of tasks) expect(world.eventsOf(taskId, 'credential.issued').length).toBeLessThanOrEqual(1);
    // The intruders hold half of the partitions and do nothing with them.
    expect(during).toBeGreaterThan(tasks.length / 4);
    figure(`${comings} comings and goings: ${during} of ${tasks.length} starts minted meanwhile, all closed ${seconds} s after the last`);
  }, 180_000);

  test('read again from the beginning, it mints nothing', async () => {
    const old = await Promise.all(Array.from({ length: TASKS }, () => started()));
    for (const { taskId } of old) await world.end(taskId);
    for (const { taskId } of old) await world.event(taskId, 'grant.closed');
    const admin = new kafkajs.Kafka({ brokers: world.dev.kafka.brokers, clientId: 'admin', logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    const minted = world.events.filter(({ type }) => type === 'dev.mayfly.credential.issued.v1').length;
    // Only an empty group's offsets can be moved: the issuer stands still until its group has given it up.
    faults.stop('issuer');
    await until(
      'the group is empty',
      async () => ((await admin.describeGroups(['mayfly-issuer'])).groups[0]?.state === 'Empty' ? true : undefined),
      60,
    );
    await admin.setOffsets({ groupId: 'mayfly-issuer', topic: 'mayfly.tasks', partitions: await earliest(admin) });
    faults.go('issuer');
    const marker = await world.start('orders-db.read', { taskId: `marker-${randomUUID()}` });
    const seconds = await secondsOf(() => world.event(marker, 'credential.issued', () => true, 60));
    await until('all of it was read', async () => ((await lag(admin)) === 0n ? true : undefined), 60);
    const again = (await admin.fetchTopicOffsets('mayfly.tasks')).reduce((sum, { offset, low }) => sum + Number(offset) - Number(low), 0);
    const fresh = world.events.filter(({ type }) => type === 'dev.mayfly.credential.issued.v1').length - minted;
    await admin.disconnect();
    expect(fresh).toBe(1); // the marker's own
    figure(`${again} records read again, 0 minted; a new start got through after ${seconds} s`);
    await world.end(marker);
  }, 180_000);
});

type Admin = ReturnType<InstanceType<typeof kafkajs.Kafka>['admin']>;

const earliest = async (admin: Admin) =>
  (await admin.fetchTopicOffsets('mayfly.tasks')).map(({ partition, low }) => ({ partition, offset: low }));

async function lag(admin: Admin): Promise<bigint> {
  const ends = await admin.fetchTopicOffsets('mayfly.tasks');
  const [group] = await admin.fetchOffsets({ groupId: 'mayfly-issuer', topics: ['mayfly.tasks'] });
  return ends.reduce((sum, { partition, high }) => {
    const at = BigInt(group?.partitions.find((each) => each.partition === partition)?.offset ?? '-1');
    return sum + BigInt(high) - (at < 0n ? 0n : at);
  }, 0n);
}
