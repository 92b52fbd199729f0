/**
 * Events in and out. The only importer of the Kafka client, behind ports that another client could serve.
 * @module
 */
export { connectKafka, type KafkaOptions } from './connect-kafka.js';
export type {
  ConsumerOptions,
  EventConsumer,
  EventProducer,
  EventRecord,
  HandleRecord,
  HeaderValue,
  Kafka,
  OutgoingRecord,
  ParkReason,
  Patience,
  Progress,
  RecordHeaders,
} from './ports.js';
export { describeRecord } from './event-attributes.js';
export { KafkaUnavailable, ParkEvent, RecordTooLarge } from './errors.js';
export { MAX_RECORD_BYTES } from './handle-record.js';
export { toKafkaMessage, type MessageOptions } from './to-kafka-message.js';
export { publishEvents, type Publisher, type Sequenced } from './publish-events.js';
export { startOutboxRelay, type OutboxRelayOptions, type OutboxRow, type OutboxSource } from './outbox-relay.js';
export { KafkaStrategy, type KafkaStrategyOptions } from './kafka-strategy.js';
