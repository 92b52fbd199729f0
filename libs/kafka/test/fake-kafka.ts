/** Nest's wiring of a consumer without a broker: what it reads, and a way to hand it a record. */
import { KafkaStrategy, type ConsumerOptions, type EventConsumer, type EventRecord, type Kafka } from '@mayfly/kafka';

const consumer: EventConsumer = {
  start: async () => undefined,
  stop: async () => undefined,
  progress: () => ({ alive: true, connected: true, progressMillisecondsAgo: 0 }),
};

/** A strategy whose records come from the test. */
export function fakeTransport(): {
  strategy: KafkaStrategy;
  topics(): readonly string[];
  hand(topic: string, event: object): Promise<void>;
} {
  let options: ConsumerOptions | undefined;
  const producer = { send: async () => undefined, stop: async () => undefined };
  const kafka: Kafka = {
    producer: () => producer,
    consumer: (wanted) => {
      options = wanted;
      return consumer;
    },
  };
  const onCrash = (error: unknown): never => {
    throw error;
  };
  return {
    strategy: new KafkaStrategy({ kafka, producer, groupId: 'test', deadLetterTopic: 'dead', onCrash }),
    topics: () => options?.topics ?? [],
    hand: async (topic, event) => {
      const record: EventRecord = {
        topic,
        partition: 0,
        offset: '0',
        key: null,
        headers: { 'content-type': 'application/cloudevents+json' },
        value: Buffer.from(JSON.stringify({ specversion: '1.0', source: 'urn:example:orchestrator', ...event })),
        timestamp: new Date(),
      };
      await options!.handle(record);
    },
  };
}
