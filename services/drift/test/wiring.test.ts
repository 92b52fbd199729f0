import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findGrantByTask } from '@mayfly/store';
import { serve, type Served } from '../../../libs/http/test/serve.js';
import { fakeTransport } from '../../../libs/kafka/test/fake-kafka.js';
import { applyExample } from '../../../libs/store/test/example.js';
import { startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { CONSUMER_TOOLS, signalsConsumer } from '../src/consumer.js';
import { driftOn, live } from './world.js';

const TOPIC = 'mayfly.signals';
const { strategy, topics, hand } = fakeTransport();
let ledger: Ledger;
let served: Served;
let digest: string;
let woken = 0;
beforeAll(async () => {
  ledger = await startLedger();
  digest = await applyExample(ledger.database);
  const follower = {
    name: 'follower',
    wake: () => (woken += 1),
    alive: () => true,
    progressMillisecondsAgo: () => 0,
    problem: () => undefined,
    stop: async () => undefined,
  };
  const on = driftOn(ledger.database);
  served = await serve({
    controllers: [signalsConsumer(TOPIC)],
    providers: [{ provide: CONSUMER_TOOLS, useValue: { on, follower } }],
    health: {
      liveness: { follower: () => ({ alive: true, progressMillisecondsAgo: 0 }) },
      readiness: { policy: () => on.policies.get(ledger.database) },
    },
    transport: strategy,
  });
}, 60_000);
afterAll(async () => {
  await served?.close();
  await ledger?.stop();
});

test('the signals topic is read: a risk is followed, a changed policy set only hints', async () => {
  expect(topics()).toEqual([TOPIC]);
  const grant = await live(ledger.database, digest);
  await hand(TOPIC, { id: 'e1', type: 'dev.mayfly.signal.risk.v1', data: { subject: { taskId: grant.taskId }, risk: 40 } });
  expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ risk: 40, state: 'granted' });
  await hand(TOPIC, { id: 'e2', source: 'urn:mallory', type: 'dev.mayfly.signal.policy-changed.v1', data: {} });
  expect(woken).toBe(1);
});

test('what is no signal is rejected for good', async () => {
  await expect(hand(TOPIC, { id: 'e3', type: 'dev.mayfly.task.started.v1', data: {} })).rejects.toMatchObject({ reason: 'unknown-type' });
  const data = { subject: { taskId: 'x', agent: 'y' }, risk: 1 };
  await expect(hand(TOPIC, { id: 'e4', type: 'dev.mayfly.signal.risk.v1', data })).rejects.toMatchObject({ reason: 'invalid-data' });
});

test('it says that it is alive, ready and measured', async () => {
  for (const path of ['healthz', 'readyz', 'metrics']) expect((await fetch(`${served.url}/${path}`)).status).toBe(200);
});
