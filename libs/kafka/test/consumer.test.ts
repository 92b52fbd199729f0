import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordSpans } from '@mayfly/telemetry';
import { StoreUnavailable } from '@mayfly/domain';
import { MAX_RECORD_BYTES, ParkEvent } from '@mayfly/kafka';
import { KafkaConsumer } from '../src/kafka-consumer.js';
import { cuttableWire, gate, startRealKafka, until } from './real-kafka.js';

let world: Awaited<ReturnType<typeof startRealKafka>>;
const recording = recordSpans();
beforeAll(async () => {
  world = await startRealKafka();
}, 60_000);
afterAll(async () => {
  await world.stop();
  await recording.stop();
}, 60_000);

const write = (topic: string, ...messages: { key?: string; value: string | Buffer | null; headers?: Record<string, string | Buffer> }[]) =>
  world.writer.send({ topic, messages });

test('records of one key keep their order while other keys run side by side', async () => {
  const seen: string[] = [];
  const slow = gate();
  const { input } = await world.consume({
    handle: async ({ key, value }) => {
      if (key === 'slow' && String(value) === '1') await slow.opened;
      seen.push(`${key}${value}`);
    },
  });
  await write(
    input,
    { key: 'slow', value: '1' },
    { key: 'a', value: '1' },
    { key: 'slow', value: '2' },
    { key: 'b', value: '1' },
    { key: 'a', value: '2' },
  );
  await until(() => seen.length === 3);
  expect(seen.filter((entry) => entry.startsWith('a'))).toEqual(['a1', 'a2']);
  expect(seen).toContain('b1');
  slow.open();
  await until(() => seen.length === 5);
  expect(seen.slice(3)).toEqual(['slow1', 'slow2']);
});

test('no more records run side by side than allowed', async () => {
  let now = 0;
  let most = 0;
  let done = 0;
  const { input } = await world.consume({
    concurrency: 3,
    handle: async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      done += 1;
    },
  });
  await write(input, ...Array.from({ length: 50 }, (_, at) => ({ key: `k${at}`, value: 'x' })));
  await until(() => done === 50);
  expect(most).toBe(3);
});

test('a record that can never work is parked untouched, headers byte by byte, and its neighbours go on', async () => {
  const seen: string[] = [];
  const binary = Buffer.from([0xff, 0x00, 0xfe, 0x80]);
  const { input, dead, groupId } = await world.consume({
    handle: async ({ value }) => {
      if (value[0] === 0xff) throw new ParkEvent('not-json', 'the value is not JSON');
      seen.push(String(value));
    },
  });
  await world.writer.send({
    topic: input,
    messages: [
      { key: 'k', value: 'before' },
      { key: 'k', value: binary, headers: { 'x-binary': binary, twice: ['1', binary], 'mayfly-reason': 'an older one' } },
      { key: 'k', value: 'after' },
    ],
  });
  await until(() => seen.length === 2);
  const [letter] = await world.read(dead, 1);
  expect(letter?.value).toEqual(binary);
  expect(String(letter?.key)).toBe('k');
  expect(letter?.headers).toEqual({
    'x-binary': binary,
    twice: [Buffer.from('1'), binary],
    'mayfly-reason': [Buffer.from('an older one'), Buffer.from('not-json')],
    'mayfly-detail': Buffer.from('the value is not JSON'),
    'mayfly-origin': Buffer.from(`${input}/0/1`),
  });
  await until(async () => (await world.committed(groupId, input)) === '3');
});

test('an unexpected error is tried again a few times, then parked by class name only; the consumer lives on', async () => {
  let tries = 0;
  const seen: string[] = [];
  const { input, dead, crashes } = await world.consume({
    handle: async ({ value }) => {
      if (String(value) !== 'poison') return void seen.push(String(value));
      tries += 1;
      throw new TypeError('hunter2 is undefined');
    },
  });
  await write(input, { key: 'k', value: 'poison' }, { key: 'k', value: 'good' });
  await until(() => seen.length === 1);
  const [letter] = await world.read(dead, 1);
  expect(tries).toBe(3);
  expect(String(letter?.headers?.['mayfly-reason'])).toBe('handler-failed');
  expect(String(letter?.headers?.['mayfly-detail'])).toContain('TypeError');
  expect(String(letter?.headers?.['mayfly-detail'])).not.toContain('hunter2');
  expect(crashes).toEqual([]);
  expect(world.lines.join()).not.toContain('hunter2');
});

test('a retriable failure is tried until it works: nothing is lost, doubled or overtaken, and other partitions go on', async () => {
  const input = await world.topic(2);
  const seen: string[] = [];
  let away = true;
  let tries = 0;
  const { groupId } = await world.consume({
    topics: [input],
    handle: async ({ key, value, partition }) => {
      if (partition === 0 && key === 'stuck' && away) {
        tries += 1;
        throw new StoreUnavailable();
      }
      seen.push(`${key}${value}`);
    },
  });
  await world.writer.send({
    topic: input,
    messages: [
      { partition: 0, key: 'stuck', value: '1' },
      { partition: 0, key: 'free', value: '1' },
      { partition: 0, key: 'stuck', value: '2' },
      { partition: 0, key: 'free', value: '2' },
    ],
  });
  await until(() => tries > 6);
  await world.writer.send({ topic: input, messages: [{ partition: 1, key: 'other', value: '1' }] });
  await until(() => seen.includes('other1'));
  expect(await world.committed(groupId, input)).toBe('-1');
  away = false;
  await until(() => seen.length === 5);
  expect(seen).toEqual(['free1', 'free2', 'other1', 'stuck1', 'stuck2']);
  await until(async () => (await world.committed(groupId, input)) === '4');
});

test('what is done is committed while the batch is under way, and the end of the process waits for what has begun', async () => {
  const begun = gate();
  const end = gate();
  const { input, groupId, consumer } = await world.consume({
    handle: async ({ value }) => {
      if (String(value) !== '2') return;
      begun.open();
      await end.opened;
    },
  });
  await write(input, { key: 'a', value: '1' }, { key: 'b', value: '2' }, { key: 'c', value: '3' });
  await begun.opened;
  await until(async () => (await world.committed(groupId, input)) === '1');
  const stopped = consumer.stop();
  end.open();
  await stopped;
  expect(await world.committed(groupId, input)).toBe('3');
});

test('nothing is committed before it is done: when a consumer is cut off in the middle, another gets the record', async () => {
  const wire = cuttableWire();
  const input = await world.topic();
  const groupId = `g-${input}`;
  const begun = gate();
  const end = gate();
  const zombie = new KafkaConsumer(
    wire.client(world.server.broker),
    'zombie',
    {
      groupId,
      topics: [input],
      deadLetterTopic: input,
      producer: world.producer,
      onCrash: () => undefined,
      sessionTimeoutMilliseconds: 6_000,
      handle: async () => {
        begun.open();
        await end.opened;
      },
    },
    world.logger,
  );
  await zombie.start();
  await write(input, { key: 'a', value: 'once more' });
  await begun.opened;
  wire.cut();
  const again: string[] = [];
  await world.consume({ topics: [input], groupId, handle: async ({ value }) => void again.push(String(value)) });
  await until(() => again.length === 1);
  expect(again).toEqual(['once more']);
  await until(async () => (await world.committed(groupId, input)) === '1');
  end.open();
  await zombie.stop();
}, 60_000);

test('a long handler keeps its membership: heartbeats go on and the record is handled once', async () => {
  let times = 0;
  const { input, groupId, consumer } = await world.consume({
    sessionTimeoutMilliseconds: 6_000,
    handle: async () => {
      times += 1;
      await new Promise((resolve) => setTimeout(resolve, 8_000));
    },
  });
  await write(input, { key: 'a', value: 'long' });
  await until(async () => (await world.committed(groupId, input)) === '1');
  expect(times).toBe(1);
  expect(consumer.progress()).toMatchObject({ alive: true, connected: true, progressMillisecondsAgo: expect.any(Number) });
}, 60_000);

test('a handler that hangs holds its neighbours until its deadline only; its record is parked in the end', async () => {
  const handled: string[] = [];
  const { input, dead, groupId, crashes } = await world.consume({
    handlerMilliseconds: 300,
    handle: async ({ key }) => {
      if (key === 'hangs') return new Promise(() => undefined);
      handled.push(String(key));
    },
  });
  await write(input, { key: 'before', value: '1' }, { key: 'hangs', value: '2' }, { key: 'beside', value: '3' });
  await until(async () => handled.includes('beside'));
  const [letter] = await world.read(dead, 1);
  expect(String(letter?.headers?.['mayfly-reason'])).toBe('handler-failed');
  expect(String(letter?.headers?.['mayfly-detail'])).toContain('HandlerHung');
  await write(input, { key: 'after', value: '4' });
  await until(async () => (await world.committed(groupId, input)) === '4');
  expect(handled).toEqual(['before', 'beside', 'after']); // each once
  expect(crashes).toEqual([]);
}, 60_000);

test('when as many handlers hang as may run, the consumer asks for the end of its process', async () => {
  const { input, crashes } = await world.consume({
    concurrency: 2,
    handlerMilliseconds: 200,
    handle: () => new Promise(() => undefined),
  });
  await write(input, { key: 'a', value: '1' }, { key: 'b', value: '2' });
  await until(async () => crashes.length > 0);
  expect((crashes[0] as Error).name).toBe('HandlersHang');
}, 60_000);

test('tombstones are ignored, oversized records parked with their value', async () => {
  const seen: string[] = [];
  const { input, dead } = await world.consume({ handle: async ({ value }) => void seen.push(String(value).slice(0, 10)) });
  const large = Buffer.alloc(MAX_RECORD_BYTES + 1, 'x');
  await write(input, { key: 'k', value: null }, { key: 'k', value: large }, { key: 'k', value: 'good' });
  await until(() => seen.length === 1);
  expect(seen).toEqual(['good']);
  const [letter] = await world.read(dead, 1);
  expect(String(letter?.headers?.['mayfly-reason'])).toBe('event-too-large');
  expect(letter?.value?.equals(large)).toBe(true);
});

test('where the dead-letter topic refuses the size, the digest is parked', async () => {
  const dead = await world.topic();
  await world.admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: dead, configEntries: [{ name: 'max.message.bytes', value: '100000' }] }],
  });
  const seen: string[] = [];
  const { input } = await world.consume({ deadLetterTopic: dead, handle: async ({ value }) => void seen.push(String(value)) });
  await write(input, { key: 'k', value: Buffer.alloc(MAX_RECORD_BYTES + 1, 'x') }, { key: 'k', value: 'good' });
  await until(() => seen.length === 1);
  const [letter] = await world.read(dead, 1);
  expect(String(letter?.value)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(String(letter?.headers?.['mayfly-value'])).toBe('sha256');
});

test('a record without a place in the dead-letter topic is not lost: the partition waits', async () => {
  let parks = 0;
  const refusing = {
    send: async () => Promise.reject(++parks > 4 ? new Error('never') : new StoreUnavailable()),
    stop: async () => undefined,
  };
  const { input, groupId } = await world.consume({ producer: refusing, handle: () => Promise.reject(new ParkEvent('x', 'y')) });
  await write(input, { key: 'k', value: '1' });
  await until(() => parks > 6);
  expect(await world.committed(groupId, input)).toBe('-1');
});

test('a record’s span continues its traceparent and says what the record claims to be', async () => {
  recording.clear();
  const { input } = await world.consume({ handle: async () => undefined });
  const event = {
    specversion: '1.0',
    id: 'e-1',
    source: 'urn:x',
    type: 't',
    subject: 't-1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  await write(
    input,
    { key: 'k', value: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json' } },
    {
      key: 'k',
      value: 'x',
      headers: { ce_id: 'e-2', ce_source: 'urn:x', traceparent: '00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    },
  );
  await until(() => recording.spans().filter(({ name }) => name === `process ${input}`).length === 2);
  const [structured, binary] = recording.spans().filter(({ name }) => name === `process ${input}`);
  expect(structured).toMatchObject({
    kind: 'consumer',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.kafka.offset': 0,
      'cloudevents.event_id': 'e-1',
      'cloudevents.event_subject': 't-1',
    },
  });
  expect(binary).toMatchObject({ traceId: '1af7651916cd43dd8448eb211c80319c', attributes: { 'cloudevents.event_id': 'e-2' } });
});
