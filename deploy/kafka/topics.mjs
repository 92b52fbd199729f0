/**
 * Creates Mayfly's topics (topics.json) where they are missing; never changes one that exists.
 * Environment: KAFKA_BROKERS (host:port,…), KAFKA_TOPIC_PREFIX (default `mayfly`). Exit 0 when all exist.
 */
import { readFile } from 'node:fs/promises';
import kafkajs from 'kafkajs';

const { KAFKA_BROKERS = '127.0.0.1:9092', KAFKA_TOPIC_PREFIX: prefix = 'mayfly' } = process.env;
const wanted = JSON.parse(await readFile(new URL('topics.json', import.meta.url), 'utf8'));

const kafka = new kafkajs.Kafka({ clientId: 'mayfly-topics', brokers: KAFKA_BROKERS.split(','), logLevel: kafkajs.logLevel.ERROR });
const admin = kafka.admin();
try {
  await admin.connect();
  const existing = new Set(await admin.listTopics());
  const topics = Object.entries(wanted.topics)
    .map(([name, config]) => ({
      topic: `${prefix}.${name}`,
      numPartitions: wanted.partitions,
      replicationFactor: -1,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    }))
    .filter(({ topic }) => !existing.has(topic));
  if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true });
} finally {
  await admin.disconnect();
}
