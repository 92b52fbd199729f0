import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OUT_EVENTS, TOPICS, type OutEvent } from '@mayfly/domain';
import { recordSpans } from '@mayfly/telemetry';
import { startOutboxRelay, type OutboxRow, type OutboxSource } from '@mayfly/kafka';
import { startRealKafka, until } from './real-kafka.js';

let world: Awaited<ReturnType<typeof startRealKafka>>;
const recording = recordSpans();
beforeAll(async () => {
  world = await startRealKafka();
}, 60_000);
afterAll(async () => {
  await world.stop();
  await recording.stop();
}, 60_000);

/** An outbox in memory with the ledger's promise: rows go only when the publishing resolved. */
class MemoryOutbox implements OutboxSource {
  rows: OutboxRow[] = [];
  #id = 0;
  put(...events: OutEvent[]): void {
    for (const event of events) this.rows.push({ id: String((this.#id += 1)), event });
  }
  async takeBatch(limit: number, publish: (rows: OutboxRow[]) => Promise<void>): Promise<number> {
    const taken = this.rows.slice(0, limit);
    if (taken.length > 0) await publish(taken);
    this.rows = this.rows.slice(taken.length);
    return taken.length;
  }
  lagSeconds = (): Promise<number> => Promise.resolve(0);
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const event = (id: string): OutEvent => ({
  id,
  type: OUT_EVENTS.credentialIssued,
  topic: TOPICS.credentials,
  key: 't-1',
  time: new Date('2026-01-01T00:00:00Z'),
  data: { taskId: 't-1', n: id },
  causationId: 'e-0',
  traceparent,
});

async function setup() {
  const topicPrefix = await world.topic();
  const topic = `${topicPrefix}.credentials`;
  await world.admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1 }], waitForLeaders: true });
  const outbox = new MemoryOutbox();
  const producer = world.kafka.producer();
  const relay = startOutboxRelay({ outbox, producer, logger: world.logger, source: 'urn:mayfly:issuer', topicPrefix });
  return { topic, outbox, relay, stop: () => relay.stop().then(() => producer.stop()) };
}

test('events leave in the order of their writing, as CloudEvents that continue their trace', async () => {
  const { topic, outbox, relay, stop } = await setup();
  const ids = Array.from({ length: 450 }, (_, at) => `e${at}`);
  outbox.put(...ids.map(event));
  relay.wake();
  const records = await world.read(topic, ids.length);
  const events = records.map(({ value }) => JSON.parse(String(value)) as Record<string, unknown>);
  expect(events.map(({ id }) => id)).toEqual(ids);
  expect(events[0]).toEqual({
    specversion: '1.0',
    id: 'e0',
    source: 'urn:mayfly:issuer',
    type: 'dev.mayfly.credential.issued.v1',
    time: '2026-01-01T00:00:00.000Z',
    subject: 't-1',
    partitionkey: 't-1',
    datacontenttype: 'application/json',
    sequence: '00000000000000000001',
    causationid: 'e-0',
    traceparent,
    data: { taskId: 't-1', n: 'e0' },
  });
  const [span] = recording.spans().filter(({ attributes }) => attributes['cloudevents.event_id'] === 'e0');
  expect(span).toMatchObject({
    name: `send ${topic}`,
    kind: 'producer',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentSpanId: 'b7ad6b7169203331',
  });
  expect(String(records[0]?.key)).toBe('t-1');
  expect(String(records[0]?.headers?.['content-type'])).toBe('application/cloudevents+json; charset=UTF-8');
  expect(String(records[0]?.headers?.['traceparent'])).toBe(`00-${span?.traceId}-${span?.spanId}-01`);
  await stop();
});

test('events wait while the broker is away and leave in order when it is back; none is lost', async () => {
  const { topic, outbox, relay, stop } = await setup();
  outbox.put(event('a1'));
  relay.wake();
  await until(() => outbox.rows.length === 0);
  await world.server.kill();
  outbox.put(event('a2'), event('a3'));
  relay.wake();
  await until(() => relay.problem() === 'kafka-unavailable');
  expect(outbox.rows).toHaveLength(2);
  await world.server.ready();
  await until(() => outbox.rows.length === 0);
  outbox.put(event('a4'));
  relay.wake();
  await until(() => outbox.rows.length === 0);
  const records = await world.read(topic, 4);
  const ids = records.map(({ value }) => (JSON.parse(String(value)) as { id: string }).id);
  // At least once: an event whose acknowledgement was lost may be there twice, but none overtakes another.
  expect([...new Set(ids)]).toEqual(['a1', 'a2', 'a3', 'a4']);
  await stop();
}, 90_000);

test('a consumer that lost the broker reads on when it is back', async () => {
  const seen: string[] = [];
  const { input, consumer, crashes } = await world.consume({ handle: async ({ value }) => void seen.push(String(value)) });
  await world.writer.send({ topic: input, messages: [{ key: 'k', value: 'before' }] });
  await until(() => seen.length === 1);
  await world.server.kill();
  await world.server.ready();
  await until(() =>
    world.writer.send({ topic: input, messages: [{ key: 'k', value: 'after' }] }).then(
      () => true,
      () => false,
    ),
  );
  await until(() => seen.includes('after'));
  expect(crashes).toEqual([]);
  expect(consumer.progress().alive).toBe(true);
}, 90_000);
