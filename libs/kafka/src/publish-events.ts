/**
 * Publishes events to their topics.
 * @module
 */
import { topicName, type OutEvent } from '@mayfly/domain';
import { ATTRIBUTES, SPAN_PATTERNS, withSpan, type TraceContext } from '@mayfly/telemetry';
import type { EventProducer, OutgoingRecord } from './ports.js';
import { toKafkaMessage } from './to-kafka-message.js';

/** An event with its place in its source's order. */
export interface Sequenced {
  readonly event: OutEvent;
  readonly sequence?: string;
}

/** Who publishes, and the prefix of topic names. */
export interface Publisher {
  /** CloudEvents `source`, for example `urn:mayfly:issuer`. */
  readonly source: string;
  readonly topicPrefix: string;
}

/**
 * Publishes the events, each topic's in the order given. Each has its own `send <topic>` span, a child of the event's own trace.
 * @throws KafkaUnavailable when they are not all acknowledged; publishing all again is safe, since an event's id names it for ever
 */
export async function publishEvents(producer: EventProducer, events: readonly Sequenced[], publisher: Publisher): Promise<void> {
  for (const [topic, ofTopic] of Map.groupBy(events, ({ event }) => topicName(publisher.topicPrefix, event.topic))) {
    await publishToTopic(producer, topic, ofTopic, publisher.source);
  }
}

async function publishToTopic(producer: EventProducer, topic: string, events: readonly Sequenced[], source: string): Promise<void> {
  const records: OutgoingRecord[] = [];
  const { promise: sent, resolve: settle } = Promise.withResolvers<void>();
  const spans = events.map(({ event, sequence }) =>
    withSpan(
      SPAN_PATTERNS.send(topic),
      { kind: 'producer', attributes: attributesOf(event, topic, source), parent: traceOf(event) },
      (span) => {
        records.push(toKafkaMessage(event, { source, sendTrace: span.trace, ...(sequence !== undefined && { sequence }) }));
        return sent;
      },
    ),
  );
  // The spans have all begun and made their records: one write carries them, and its outcome ends them.
  settle(producer.send(topic, records));
  await Promise.all(spans);
}

const traceOf = ({ traceparent, tracestate }: OutEvent): TraceContext | undefined =>
  traceparent === undefined ? undefined : { traceparent, ...(tracestate !== undefined && { tracestate }) };

const attributesOf = (event: OutEvent, topic: string, source: string) => ({
  [ATTRIBUTES.messagingSystem]: 'kafka',
  [ATTRIBUTES.messagingOperation]: 'send',
  [ATTRIBUTES.messagingOperationType]: 'send',
  [ATTRIBUTES.messagingDestination]: topic,
  [ATTRIBUTES.messagingKey]: event.key,
  [ATTRIBUTES.messagingMessageId]: event.id,
  [ATTRIBUTES.eventId]: event.id,
  [ATTRIBUTES.eventSource]: source,
  [ATTRIBUTES.eventType]: event.type,
  [ATTRIBUTES.eventSubject]: event.key,
});
