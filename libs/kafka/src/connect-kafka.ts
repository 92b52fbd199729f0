/**
 * The way to a Kafka cluster, by kafkajs.
 * @module
 */
import type { ConnectionOptions } from 'node:tls';
import kafkajs, { type logCreator, type SASLOptions } from 'kafkajs';
import type { Logger } from '@mayfly/telemetry';
import { boundDecoding } from './bound-decoding.js';
import { KafkaConsumer } from './kafka-consumer.js';
import { KafkaProducer } from './kafka-producer.js';
import { mendRequestQueue } from './mend-request-queue.js';
import type { Kafka } from './ports.js';

/** Where Kafka is and who we are to it. */
export interface KafkaOptions {
  /** `host:port` of some brokers. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: Logger;
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
  readonly ssl?: boolean | ConnectionOptions;
}

/** Prepares the client. Nothing is connected before a consumer starts or a producer sends. */
export function connectKafka({ brokers, clientId, logger, sasl, ssl }: KafkaOptions): Kafka {
  mendRequestQueue();
  boundDecoding();
  const client = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    // Bounded: what goes on failing comes back to us as an error, and we decide how to go on.
    retry: { initialRetryTime: 100, multiplier: 2, maxRetryTime: 5_000, retries: 5 },
    logCreator: logInto(logger),
    ...(sasl && { sasl: sasl as SASLOptions }),
    ...(ssl !== undefined && { ssl }),
  });
  return {
    consumer: (options) => new KafkaConsumer(client, clientId, options, logger),
    producer: () => new KafkaProducer(client),
  };
}

/** What the client itself has to say. Our own lines tell of outages; its own are for whoever looks closer. */
const logInto =
  (logger: Logger): logCreator =>
  () =>
  ({ namespace, level, log: { message, groupId, broker, error } }) => {
    const severity = level === kafkajs.logLevel.ERROR ? 'warn' : 'debug';
    logger[severity]('kafka client', { namespace, text: message, groupId, broker, ...(typeof error === 'string' && { problem: error }) });
  };
