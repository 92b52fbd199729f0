import 'reflect-metadata';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Controller, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { MayflyError, StoreUnavailable } from '@mayfly/domain';
import { nestLogger } from '@mayfly/telemetry';
import { KafkaStrategy, ParkEvent, type EventRecord } from '@mayfly/kafka';
import { SHORT, startRealKafka, until } from './real-kafka.js';

let world: Awaited<ReturnType<typeof startRealKafka>>;
let app: INestApplication;
let strategy: KafkaStrategy;
const INPUT = 'strategy-input';
const DEAD = 'strategy-dead';
const seen: EventRecord[] = [];
const tries: string[] = [];

class Rejected extends MayflyError {
  constructor(
    readonly reason: string,
    readonly detail: string,
  ) {
    super('rejected-event', 'another sentence', 400, false);
  }
}

@Controller()
class TestConsumer {
  @EventPattern(INPUT)
  async handle(@Payload() record: EventRecord): Promise<void> {
    await Promise.resolve();
    const text = String(record.value);
    tries.push(text);
    if (text === 'park') throw new ParkEvent('no-such-thing', 'there is no such thing');
    if (text === 'reject') throw new Rejected('bad-event', 'it is bad');
    if (text === 'away' && tries.filter((one) => one === 'away').length < 5) throw new StoreUnavailable();
    if (text === 'bug') throw new TypeError('a bug');
    seen.push(record);
  }
}

@Module({ controllers: [TestConsumer] })
class TestModule {}

beforeAll(async () => {
  world = await startRealKafka();
  await world.admin.createTopics({
    topics: [INPUT, DEAD].map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
    waitForLeaders: true,
  });
  strategy = new KafkaStrategy({
    kafka: world.kafka,
    groupId: 'strategy',
    deadLetterTopic: DEAD,
    producer: world.producer,
    patience: SHORT,
    onCrash: (error) => {
      throw error;
    },
  });
  app = await NestFactory.create(TestModule, { logger: nestLogger(world.logger), abortOnError: false });
  strategy.connectTo(app);
  await app.startAllMicroservices();
  await app.init();
}, 60_000);
afterAll(() => world.stop(), 60_000);

const write = (...values: string[]) =>
  world.writer.send({ topic: INPUT, messages: values.map((value) => ({ key: 't-1', value, headers: { 'content-type': 'text/plain' } })) });

test('a handler gets the undecoded record', async () => {
  await write('{"not":"parsed"}');
  await until(() => seen.length === 1);
  expect(seen[0]).toEqual({
    topic: INPUT,
    partition: 0,
    offset: '0',
    key: 't-1',
    headers: { 'content-type': 'text/plain' },
    value: Buffer.from('{"not":"parsed"}'),
    timestamp: expect.any(Date),
  });
});

test('what a handler throws keeps its type: parked, rejected, tried again, or given up', async () => {
  await write('park', 'reject', 'away', 'bug', 'good');
  await until(() => seen.some(({ value }) => String(value) === 'good'));
  const letters = await world.read(DEAD, 3);
  expect(
    letters.map(({ value, headers }) => [String(value), String(headers?.['mayfly-reason']), String(headers?.['mayfly-detail'])]),
  ).toEqual([
    ['park', 'no-such-thing', 'there is no such thing'],
    ['reject', 'bad-event', 'it is bad'],
    ['bug', 'handler-failed', 'the handler failed 3 times, at last with TypeError'],
  ]);
  expect(tries.filter((one) => one === 'away')).toHaveLength(5);
});

test('the application closes cleanly: the group is left at once', async () => {
  expect(strategy.progress()).toMatchObject({ alive: true, connected: true });
  await app.close();
  const { groups } = await world.admin.describeGroups(['strategy']);
  expect(groups[0]?.members).toEqual([]);
  await until(async () => (await world.committed('strategy', INPUT)) === '6');
});
