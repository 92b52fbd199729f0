import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findGrantByTask, type Claimed } from '@mayfly/store';
import { serve, type Served } from '../../../libs/http/test/serve.js';
import { fakeTransport } from '../../../libs/kafka/test/fake-kafka.js';
import { applyExample } from '../../../libs/store/test/example.js';
import { startLedger, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { CONSUMER_TOOLS, tasksConsumer } from '../src/consumer.js';
import { Issuing } from '../src/issuing.js';
import { issuerOn } from './world.js';

const TOPIC = 'mayfly.tasks';
const { strategy, topics, hand } = fakeTransport();
let ledger: Ledger;
let served: Served;
let world: ReturnType<typeof issuerOn>;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
  world = issuerOn(ledger.database);
  served = await serve({
    controllers: [tasksConsumer(TOPIC)],
    providers: [
      { provide: Issuing, useValue: world.issuing },
      {
        provide: CONSUMER_TOOLS,
        useValue: { clock: world.clock, minter: { offer: (claim: Claimed) => (void world.issuing.mint(claim), true) } },
      },
    ],
    health: { liveness: { minter: () => ({ alive: true, progressMillisecondsAgo: 0 }) }, readiness: { vault: () => world.vault.health() } },
    transport: strategy,
  });
}, 60_000);
afterAll(async () => {
  await served?.close();
  await ledger?.stop();
});

const event = (data: object, changes: object = {}) => ({ id: 'e1', type: 'dev.mayfly.task.started.v1', data, ...changes });

test('the tasks topic is read, and a start on it is admitted and minted', async () => {
  expect(topics()).toEqual([TOPIC]);
  const start = task();
  await hand(TOPIC, event(start));
  expect(await findGrantByTask(ledger.database, start.taskId)).toMatchObject({ state: 'granted', startEventId: 'e1' });
});

test('what cannot be an event is rejected for good, and so is a start from long ago', async () => {
  await expect(hand(TOPIC, event({ taskId: '../x' }, { id: 'e2' }))).rejects.toMatchObject({ reason: 'invalid-task-id' });
  await expect(hand(TOPIC, event(task(), { id: 'e3', time: '2025-12-30T00:00:00Z' }))).rejects.toMatchObject({
    reason: 'time-out-of-window',
  });
});

test('an end of a task that nobody has heard of leaves its tombstone', async () => {
  await hand(TOPIC, event({ taskId: 'unheard', outcome: 'succeeded' }, { id: 'e4', type: 'dev.mayfly.task.ended.v1' }));
  expect(await findGrantByTask(ledger.database, 'unheard')).toMatchObject({ state: 'closed', endCause: 'task_ended' });
});

test('heartbeats and foreign starts that ask for nothing are none of its business', async () => {
  await hand(TOPIC, event({ taskId: 'x' }, { id: 'e5', type: 'dev.mayfly.task.heartbeat.v1' }));
  expect(await findGrantByTask(ledger.database, 'x')).toBeUndefined();
});

test('a start that Vault cannot serve yet is done with: it is minted later, not read again', async () => {
  world.vault.down = true;
  const start = task();
  await hand(TOPIC, event(start, { id: 'e6' }));
  expect((await fetch(`${served.url}/readyz`)).status).toBe(503);
  world.vault.down = false;
  expect(await findGrantByTask(ledger.database, start.taskId)).toMatchObject({ state: 'granted' });
});

test('it says that it is alive, ready and measured', async () => {
  for (const path of ['healthz', 'readyz', 'metrics']) expect((await fetch(`${served.url}/${path}`)).status).toBe(200);
});
