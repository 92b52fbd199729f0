/**
 * Events as an orchestrator sends them: CloudEvents 1.0, structured mode, keyed by the task.
 * @module
 */
import { newEventId, topicName, TOPICS } from '@mayfly/domain';
import type { OutgoingRecord } from '@mayfly/kafka';
import type { SignableEvent } from '@mayfly/task-events';
import type { Endpoints } from './endpoints.js';
import { known } from './endpoints.js';
import { readPrivateKey } from './private-key.js';
import { withoutCredentials } from './show.js';

/** What is said about a task. */
export interface TaskEvent {
  readonly type: string;
  /** CloudEvents `source`: the orchestrator's registered name. */
  readonly source: string;
  readonly taskId: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** With it the event is signed. */
  readonly signing?: Signing | undefined;
}

/** How an event is signed. */
export interface Signing {
  /** File of the orchestrator's private key. */
  readonly keyFile: string;
  /** The installation that the event is for; its topic prefix where nothing else is said. */
  readonly audience?: string | undefined;
}

/** An event that Kafka has taken. */
export interface SentEvent {
  readonly id: string;
  readonly traceId: string;
  readonly traceparent: string;
}

/** The record of an event. @param prefix of the topics @throws NotSetUp when the key to sign with cannot be read */
export async function recordOf(
  { type, source, taskId, data, signing }: TaskEvent,
  { id, traceparent, prefix }: { readonly id: string; readonly traceparent: string; readonly prefix: string },
): Promise<OutgoingRecord & { key: string; value: string; headers: Record<string, string> }> {
  const event = {
    specversion: '1.0',
    id,
    source,
    type,
    time: new Date().toISOString(),
    subject: taskId,
    partitionkey: taskId,
    datacontenttype: 'application/json',
    traceparent,
    data,
  };
  const signature = signing && (await sign(event, signing, prefix));
  return {
    key: taskId,
    value: JSON.stringify({ ...event, ...signature }),
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8', traceparent },
  };
}

async function sign(event: SignableEvent, { keyFile, audience = '' }: Signing, prefix: string): Promise<Readonly<Record<string, string>>> {
  const { SIGNATURE_ATTRIBUTE, signEvent } = await import('@mayfly/task-events');
  return { [SIGNATURE_ATTRIBUTE]: await signEvent(event, audience || prefix, await readPrivateKey(keyFile)) };
}

/**
 * Sends one event; its span is where the task's trace begins, or goes on when `parent` (a W3C traceparent) is given.
 * @throws KafkaUnavailable
 */
export async function sendTaskEvent(endpoints: Endpoints, event: TaskEvent, parent?: string): Promise<SentEvent> {
  const brokers = known(endpoints, 'brokers');
  const [{ connectKafka }, { ATTRIBUTES, createLogger, SPAN_PATTERNS, startTelemetry, withSpan }] = await Promise.all([
    import('@mayfly/kafka'),
    import('@mayfly/telemetry'),
  ]);
  const { zipkin } = endpoints;
  const telemetry = startTelemetry({
    service: 'mayfly-cli',
    version: '1',
    env: zipkin === undefined ? {} : { ZIPKIN_ENDPOINT: `${zipkin}/api/v2/spans` },
  });
  const logger = createLogger({ service: 'mayfly-cli', level: 'fatal' });
  const producer = connectKafka({ brokers, clientId: 'mayfly-cli', logger }).producer();
  const topic = topicName(endpoints.topicPrefix, TOPICS.tasks);
  const id = newEventId();
  const prefix = endpoints.topicPrefix;
  const attributes = {
    [ATTRIBUTES.messagingSystem]: 'kafka',
    [ATTRIBUTES.messagingOperation]: 'send',
    [ATTRIBUTES.messagingDestination]: topic,
    [ATTRIBUTES.taskId]: event.taskId,
    [ATTRIBUTES.eventType]: event.type,
  };
  try {
    return await withSpan(
      SPAN_PATTERNS.send(topic),
      { kind: 'producer', attributes, parent: parent === undefined ? undefined : { traceparent: parent } },
      async ({ trace: { traceparent } }) => {
        await producer.send(topic, [await recordOf(event, { id, traceparent, prefix })]);
        return { id, traceparent, traceId: traceparent.split('-')[1] ?? '' };
      },
    );
  } finally {
    await Promise.all([producer.stop(), telemetry.shutdown()]);
  }
}

/** Where a trace can be looked at; undefined when no trace store is known. */
export const traceUrl = ({ zipkin }: Endpoints, traceId: string): string | undefined =>
  zipkin && `${withoutCredentials(zipkin)}/zipkin/traces/${traceId}`;
