/**
 * The connections that every service has.
 * @module
 */
import { systemClock, TOPICS, topicName, type Clock, type Topic } from '@mayfly/domain';
import { connectKafka, KafkaStrategy, startOutboxRelay, type EventProducer, type Kafka } from '@mayfly/kafka';
import { openDatabase, Outbox, outboxChannel, type Database, type Listener } from '@mayfly/store';
import type { Logger } from '@mayfly/telemetry';
import type { Worker } from '@mayfly/worker';
import { stateSuspicion } from './state-suspicion.js';

/** What {@link connect} needs to know. */
export interface ConnectionSettings {
  readonly KAFKA_BROKERS: readonly string[];
  readonly KAFKA_TOPIC_PREFIX: string;
  readonly DATABASE_URL: string;
}

/** A service's ways to the ledger and to Kafka. */
export interface Connections {
  readonly service: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly database: Database;
  readonly kafka: Kafka;
  readonly producer: EventProducer;
  /** The real name of one of Mayfly's topics. */
  readonly topic: (topic: Topic) => string;
  /** Publishes this service's outbox. */
  readonly relay: Worker;
  readonly listeners: readonly Listener[];
}

/** Opens them; nothing has to be there yet. */
export function connect(service: string, settings: ConnectionSettings, logger: Logger): Connections {
  const database = openDatabase({ url: settings.DATABASE_URL, applicationName: `mayfly-${service}`, keepsPlans: true });
  const kafka = connectKafka({ brokers: settings.KAFKA_BROKERS, clientId: `mayfly-${service}`, logger });
  const producer = kafka.producer();
  const topic = (name: Topic): string => topicName(settings.KAFKA_TOPIC_PREFIX, name);
  const relay = startOutboxRelay({
    outbox: new Outbox(database, service),
    producer,
    logger,
    source: `urn:mayfly:${service}`,
    topicPrefix: settings.KAFKA_TOPIC_PREFIX,
  });
  const listeners = [database.listen(outboxChannel(service), () => relay.wake())];
  return { service, logger, clock: systemClock, database, kafka, producer, topic, relay, listeners };
}

/** The transport of a service's consumer: one group per service, dead letters where they belong, a crash ends the process. */
export function transport(
  { kafka, service, database, clock, producer, topic, logger }: Connections,
  { othersPark = false, recordsAtOnce }: { readonly othersPark?: boolean; readonly recordsAtOnce?: number },
): KafkaStrategy {
  return new KafkaStrategy({
    kafka,
    producer,
    groupId: `mayfly-${service}`,
    deadLetterTopic: topic(TOPICS.deadletter),
    beforePark: stateSuspicion({ service, database, clock }),
    ...(recordsAtOnce && { concurrency: recordsAtOnce }),
    ...(othersPark && { maxRecordBytes: Number.POSITIVE_INFINITY }),
    onCrash: (error) => {
      logger.fatal('the consumer ended and will not come back; ending the process', { error });
      process.exitCode = 1;
      process.kill(process.pid, 'SIGTERM');
    },
  });
}
