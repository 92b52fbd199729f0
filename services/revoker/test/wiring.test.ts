import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findGrantByTask } from '@mayfly/store';
import { serve, type Served } from '../../../libs/http/test/serve.js';
import { fakeTransport } from '../../../libs/kafka/test/fake-kafka.js';
import { applyExample } from '../../../libs/store/test/example.js';
import { granted, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { tasksConsumer } from '../src/consumer.js';
import { Revoking } from '../src/revoking.js';
import { revokerOn } from './world.js';

const TOPIC = 'mayfly.tasks';
const { strategy, topics, hand } = fakeTransport();
let ledger: Ledger;
let served: Served;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
  const world = revokerOn(ledger.database);
  served = await serve({
    controllers: [tasksConsumer(TOPIC)],
    providers: [{ provide: Revoking, useValue: world.revoking }],
    health: { liveness: { killer: () => ({ alive: true, progressMillisecondsAgo: 0 }) }, readiness: { vault: () => world.vault.health() } },
    transport: strategy,
  });
}, 60_000);
afterAll(async () => {
  await served?.close();
  await ledger?.stop();
});

test('the tasks topic is read: an end ends, a heartbeat is noted', async () => {
  expect(topics()).toEqual([TOPIC]);
  const { grant } = await granted(ledger.database);
  await hand(TOPIC, { id: 'e1', type: 'dev.mayfly.task.heartbeat.v1', data: { taskId: grant.taskId } });
  expect((await findGrantByTask(ledger.database, grant.taskId))?.heartbeatAt).toBeDefined();
  await hand(TOPIC, { id: 'e2', type: 'dev.mayfly.task.ended.v1', data: { taskId: grant.taskId, outcome: 'succeeded' } });
  expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ state: 'closing', endEventId: 'e2' });
});

test('starts are the issuer’s, and so is parking what cannot be read', async () => {
  await hand(TOPIC, { id: 'e3', type: 'dev.mayfly.task.started.v1', data: { taskId: '../x' } });
  await hand(TOPIC, { id: 'e4', type: 'dev.mayfly.task.ended.v1', data: 'nonsense' });
});

test('an end from nobody who is registered is rejected for good', async () => {
  const data = { taskId: 'x', outcome: 'succeeded' };
  await expect(hand(TOPIC, { id: 'e5', source: 'urn:mallory', type: 'dev.mayfly.task.ended.v1', data })).rejects.toMatchObject({
    reason: 'unregistered-source',
  });
});

test('it says that it is alive, ready and measured', async () => {
  for (const path of ['healthz', 'readyz', 'metrics']) expect((await fetch(`${served.url}/${path}`)).status).toBe(200);
});
