/**
 * A real broker for the tests of one file, and what they need around it.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { connect, Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs, { type KafkaMessage } from 'kafkajs';
import { createLogger } from '@mayfly/telemetry';
import { connectKafka, type ConsumerOptions, type EventConsumer, type Kafka } from '@mayfly/kafka';

interface Server {
  readonly broker: string;
  kill(): Promise<void>;
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** Pauses short enough for tests. */
export const SHORT = { firstMilliseconds: 10, longestMilliseconds: 100, tries: 3 };

/** Starts a broker. Call it in `beforeAll`, and `stop` in `afterAll`. */
export async function startRealKafka() {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-kafka-'));
  const launcher = new URL('../../../deploy/local/servers/kafka.mjs', import.meta.url).href;
  const { start } = (await import(launcher)) as { start(options: { home: string }): Promise<Server> };
  const server = await start({ home });
  const lines: string[] = [];
  const logger = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const kafka = connectKafka({ brokers: [server.broker], clientId: 'test', logger });
  const producer = kafka.producer();
  // The tests look from outside, with a client of their own.
  const outside = new kafkajs.Kafka({
    brokers: [server.broker],
    clientId: 'outside',
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 20 },
  });
  const admin = outside.admin();
  await admin.connect();
  const writer = outside.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await writer.connect();
  const running: { stop(): Promise<unknown> }[] = [];

  /** Makes a topic with a name of its own. */
  const topic = async (partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> => {
    const name = `t-${randomUUID()}`;
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    await admin.createTopics({
      topics: [{ topic: name, numPartitions: partitions, replicationFactor: 1, configEntries }],
      waitForLeaders: true,
    });
    return name;
  };

  return {
    kafka,
    server,
    admin,
    writer,
    producer,
    logger,
    lines,
    topic,
    /** A fresh pair of topics and a consumer on them that ends with the broker. */
    consume: async (
      options: Partial<ConsumerOptions> & Pick<ConsumerOptions, 'handle'>,
      by: Kafka = kafka,
    ): Promise<{ input: string; dead: string; groupId: string; consumer: EventConsumer; crashes: unknown[] }> => {
      const input = options.topics?.[0] ?? (await topic());
      const dead = options.deadLetterTopic ?? (await topic());
      const groupId = options.groupId ?? `g-${randomUUID()}`;
      const crashes: unknown[] = [];
      const onCrash = (error: unknown): void => void crashes.push(error);
      const consumer = by.consumer({ patience: SHORT, producer, onCrash, ...options, groupId, topics: [input], deadLetterTopic: dead });
      running.push(consumer);
      await consumer.start();
      return { input, dead, groupId, consumer, crashes };
    },
    /** Reads what is in a topic, waiting until there is so much. */
    read: async (name: string, count: number): Promise<KafkaMessage[]> => {
      const reader = outside.consumer({ groupId: `r-${randomUUID()}`, maxWaitTimeInMs: 100 });
      await reader.connect();
      await reader.subscribe({ topics: [name], fromBeginning: true });
      const messages: KafkaMessage[] = [];
      await new Promise<void>((resolve, reject) => {
        const eachMessage = async ({ message }: { message: KafkaMessage }): Promise<void> => {
          messages.push(message);
          if (messages.length >= count) resolve();
        };
        reader.run({ eachMessage }).catch(reject);
      });
      await reader.disconnect();
      return messages;
    },
    /** The offset that a group would go on from; `-1` before its first commit. */
    committed: async (groupId: string, name: string): Promise<string | undefined> => {
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [name] });
      return offsets?.partitions[0]?.offset;
    },
    stop: async (): Promise<void> => {
      await Promise.all(running.map((one) => one.stop()));
      await Promise.all([producer.stop(), admin.disconnect(), writer.disconnect()]);
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Waits until a condition holds; the test's own timeout is the limit. */
export async function until(condition: () => unknown): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A promise with its switch. */
export const gate = (): { readonly opened: Promise<void>; open(): void } => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
};

/** Connections that can be cut for good, as when a process is stopped or a network parts. */
export function cuttableWire() {
  const sockets = new Set<Socket>();
  let whole = true;
  const cutSocket = (): Socket => {
    const socket = new Socket();
    process.nextTick(() => socket.destroy(new Error('the wire is cut')));
    return socket;
  };
  return {
    client: (broker: string) =>
      new kafkajs.Kafka({
        brokers: [broker],
        logLevel: kafkajs.logLevel.NOTHING,
        socketFactory: ({ host, port, onConnect }) => {
          if (!whole) return cutSocket();
          const socket = connect({ host, port }, onConnect);
          sockets.add(socket);
          return socket;
        },
      }),
    cut: (): void => {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
  };
}
