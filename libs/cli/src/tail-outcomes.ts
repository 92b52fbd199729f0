/**
 * Reading what Mayfly says about tasks while it says it.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { topicName, TOPICS, type Topic } from '@mayfly/domain';
import type { EventRecord } from '@mayfly/kafka';
import { known, type Endpoints } from './endpoints.js';
import { NotSetUp } from './errors.js';
import { anyReachable } from './reachable.js';

/** One event about a grant, a credential or a revocation (CloudEvents). */
export interface Outcome {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  /** The task id. */
  readonly subject: string;
  readonly traceparent?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What is read, and until when. */
export interface TailOptions {
  /** Of this task only. */
  readonly task?: string | undefined;
  /** Leaves out what is older. */
  readonly since: Date;
  readonly tell: (outcome: Outcome) => void;
  /** Called once, when it reads. */
  readonly onReading?: () => void;
  readonly ending: AbortSignal;
}

/** Reads until the signal. @throws NotSetUp when Kafka does not answer */
export async function tailOutcomes(endpoints: Endpoints, { task, since, tell, onReading, ending }: TailOptions): Promise<void> {
  const brokers = known(endpoints, 'brokers');
  if (!(await anyReachable(brokers))) throw new NotSetUp('no Kafka broker answers; see npx mayfly doctor');
  const [{ connectKafka }, { createLogger }] = await Promise.all([import('@mayfly/kafka'), import('@mayfly/telemetry')]);
  const kafka = connectKafka({ brokers, clientId: 'mayfly-cli', logger: createLogger({ service: 'mayfly-cli', level: 'fatal' }) });
  const topic = (name: Topic): string => topicName(endpoints.topicPrefix, name);
  const isWanted = ({ key, timestamp }: EventRecord): boolean => timestamp >= since && (task === undefined || key === task);

  await new Promise<void>((end, fail) => {
    const consumer = kafka.consumer({
      // A group of its own: everyone who watches sees everything.
      groupId: `mayfly-watch-${randomUUID()}`,
      topics: [topic(TOPICS.credentials), topic(TOPICS.revocations)],
      deadLetterTopic: topic(TOPICS.deadletter),
      // An onlooker parks nothing.
      producer: { send: () => Promise.resolve(), stop: () => Promise.resolve() },
      maxRecordBytes: Number.POSITIVE_INFINITY,
      concurrency: 1,
      onCrash: fail,
      handle: (record) => {
        const outcome = isWanted(record) ? read(record) : undefined;
        if (outcome) tell(outcome);
        return Promise.resolve();
      },
    });
    const stop = (): void => void consumer.stop().then(end, end);
    if (ending.aborted) return stop();
    ending.addEventListener('abort', stop, { once: true });
    consumer.start().then(onReading, fail);
  });
}

/** Undefined for what is no event: somebody else's record stops nobody from watching. */
function read({ value }: EventRecord): Outcome | undefined {
  try {
    const event = JSON.parse(value.toString()) as Outcome;
    return typeof event.type === 'string' && typeof event.data === 'object' ? event : undefined;
  } catch {
    return undefined;
  }
}
