/**
 * An idempotent producer that replaces itself when it breaks.
 * @module
 */
import kafkajs, { type IHeaders, type Kafka as Client, type Producer } from 'kafkajs';
import { ATTRIBUTES, counter, errorType, histogram, METRICS } from '@mayfly/telemetry';
import { KafkaUnavailable, RecordTooLarge } from './errors.js';
import type { EventProducer, OutgoingRecord } from './ports.js';

const sent = counter(METRICS.sentMessages);
const duration = histogram(METRICS.sendDuration);
const ALL_IN_SYNC = -1;

/** {@link EventProducer} by kafkajs. */
export class KafkaProducer implements EventProducer {
  #current: Promise<Producer> | undefined;

  constructor(private readonly client: Client) {}

  async send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return;
    const labels = {
      [ATTRIBUTES.messagingSystem]: 'kafka',
      [ATTRIBUTES.messagingOperation]: 'send',
      [ATTRIBUTES.messagingDestination]: topic,
    };
    const startedAt = performance.now();
    const current = (this.#current ??= this.#connect());
    try {
      const producer = await current;
      await producer.send({ topic, acks: ALL_IN_SYNC, messages: records.map(messageOf) });
      sent.add(records.length, labels);
      duration.since(startedAt, labels);
    } catch (error) {
      duration.since(startedAt, { ...labels, [ATTRIBUTES.errorType]: errorType(error) });
      if (saysTooLarge(error)) throw new RecordTooLarge({ cause: error });
      this.#retire(current);
      throw new KafkaUnavailable({ cause: error });
    }
  }

  async stop(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.then((producer) => producer.disconnect()).catch(() => undefined);
  }

  async #connect(): Promise<Producer> {
    const producer = this.client.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return producer;
  }

  // An idempotent producer whose sequence the broker no longer accepts stays broken for ever. A fresh one costs a connection,
  // so any failure makes one.
  #retire(failed: Promise<Producer>): void {
    if (this.#current === failed) this.#current = undefined;
    failed.then((producer) => producer.disconnect()).catch(() => undefined);
  }
}

const messageOf = ({ key, value, headers }: OutgoingRecord) => ({ key, value, headers: headers as IHeaders });

/** The broker's refusal may be wrapped in the client's own errors. */
function saysTooLarge(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { type } = at as { type?: unknown };
    if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return true;
  }
  return false;
}
