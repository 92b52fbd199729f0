/**
 * One record from its first try to its end: done, parked, or left for later.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { failpoint } from '@mayfly/failpoints';
import {
  ATTRIBUTES,
  counter,
  errorType,
  histogram,
  METRICS,
  SPAN_PATTERNS,
  withSpan,
  type ActiveSpan,
  type Attributes,
  type Logger,
} from '@mayfly/telemetry';
import { HandlerHung, type Deadline } from './deadline.js';
import { park } from './dead-letter.js';
import { ParkEvent } from './errors.js';
import { describeRecord } from './event-attributes.js';
import type { ConsumerOptions, EventRecord, Patience } from './ports.js';
import { originOf, recordOf, sizeOf, type Received } from './received.js';
import type { Slots } from '@mayfly/worker';
import { unreadable } from './unreadable-records.js';
import { verdict } from './verdict.js';

/** Larger records are parked unread where the consumer says nothing else (public contract: bad input). */
export const MAX_RECORD_BYTES = 256 * 1024;
/** The pauses of production. */
export const DEFAULT_PATIENCE: Patience = { firstMilliseconds: 100, longestMilliseconds: 10_000, tries: 5 };

const consumed = counter(METRICS.consumedMessages);
const duration = histogram(METRICS.processDuration);
const retries = counter(METRICS.handlerRetries);
const tombstones = counter(METRICS.tombstones);

/** What handling needs to know of its consumer. */
export interface Handling {
  readonly options: ConsumerOptions;
  readonly clientId: string;
  readonly logger: Logger;
  readonly slots: Slots;
  readonly deadline: Deadline;
  /** Called after each try. */
  readonly progressed: () => void;
  /** Tries so far, by origin: they count on when a record was left and comes again. */
  readonly tries: Map<string, number>;
}

/** `left`: not done, to be read again later. */
export type Ending = 'done' | 'left';

/** How long to wait after so many tries, in milliseconds: doubling, with jitter so that neighbours do not march in step. */
export const backoff = ({ firstMilliseconds, longestMilliseconds }: Patience, tries: number): number =>
  Math.min(longestMilliseconds, firstMilliseconds * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);

/** Handles one record. Never rejects; once `signal` is given it starts no further try. */
export async function handleRecord(handling: Handling, received: Received, signal: AbortSignal): Promise<Ending> {
  const labels = { [ATTRIBUTES.messagingSystem]: 'kafka', [ATTRIBUTES.messagingDestination]: received.topic };
  const { value } = received.raw;
  consumed.add(1, labels);
  if (value === null) {
    tombstones.add(1, labels);
    return 'done';
  }
  const record = recordOf(received, value);
  const { maxRecordBytes = MAX_RECORD_BYTES } = handling.options;
  const unread = maxRecordBytes === Infinity ? undefined : (unreadable(received) ?? tooLarge(received, maxRecordBytes));
  const { attributes, parent } = unread ? { attributes: {}, parent: undefined } : describeRecord(record);
  const handle = (): Promise<void> => (unread ? Promise.reject(unread) : handling.deadline.within(() => handling.options.handle(record)));

  const startedAt = performance.now();
  const span = { kind: 'consumer', attributes: { ...messagingAttributes(handling, record), ...attributes }, parent } as const;
  const ending = await withSpan(SPAN_PATTERNS.process(received.topic), span, (active) =>
    untilItEnds(handling, received, handle, signal, active),
  );
  duration.since(startedAt, { ...labels, [ATTRIBUTES.outcome]: ending });
  return ending;
}

const tooLarge = (received: Received, bytes: number): ParkEvent | undefined =>
  sizeOf(received) <= bytes
    ? undefined
    : new ParkEvent('event-too-large', `the record is larger than ${bytes} bytes; put links into events, not payloads`);

async function untilItEnds(
  handling: Handling,
  received: Received,
  handle: () => Promise<void>,
  signal: AbortSignal,
  span: ActiveSpan,
): Promise<Ending> {
  const origin = originOf(received);
  const patience = handling.options.patience ?? DEFAULT_PATIENCE;
  while (!signal.aborted) {
    const tries = (handling.tries.get(origin) ?? 0) + 1;
    handling.tries.set(origin, tries);
    try {
      await handling.slots.run(() => handleOrPark(handling, received, handle, tries, span));
      handling.tries.delete(origin);
      handling.progressed();
      return 'done';
    } catch (error) {
      handling.progressed();
      retries.add(1, { [ATTRIBUTES.messagingDestination]: received.topic, [ATTRIBUTES.errorType]: errorType(error) });
      if (tries === 1 || tries % 10 === 0) handling.logger.warn('record failed, it is tried again', { origin, tries, error });
      // Its batch has waited long enough: the others go on while this record's partition rests.
      if (tries >= patience.tries || error instanceof HandlerHung) break;
      await pause(backoff(patience, tries), undefined, { signal }).catch(() => undefined);
    }
  }
  span.set({ [ATTRIBUTES.outcome]: 'left' });
  return 'left';
}

/** @throws whatever makes another try worth while: the handler's retriable error, or that the dead letter was not acknowledged */
async function handleOrPark(
  handling: Handling,
  received: Received,
  handle: () => Promise<void>,
  tries: number,
  span: ActiveSpan,
): Promise<void> {
  const { options, logger } = handling;
  failpoint('C1');
  try {
    await handle();
    failpoint('C3');
  } catch (error) {
    const why = verdict(error, tries, (options.patience ?? DEFAULT_PATIENCE).tries);
    if (!why) throw error;
    await options.beforePark?.(recordOf(received, received.raw.value ?? Buffer.alloc(0)), why);
    await park(options.producer, options.deadLetterTopic, received, why);
    span.fail(why.reason, why.detail);
    logger.warn('record parked', { origin: originOf(received), reason: why.reason, detail: why.detail, error });
  }
}

const messagingAttributes = ({ options, clientId }: Handling, { topic, partition, offset, key }: EventRecord): Attributes => ({
  [ATTRIBUTES.messagingSystem]: 'kafka',
  [ATTRIBUTES.messagingOperation]: 'process',
  [ATTRIBUTES.messagingOperationType]: 'process',
  [ATTRIBUTES.messagingDestination]: topic,
  [ATTRIBUTES.messagingPartition]: String(partition),
  [ATTRIBUTES.messagingOffset]: Number(offset),
  [ATTRIBUTES.messagingKey]: key?.slice(0, 200),
  [ATTRIBUTES.messagingConsumerGroup]: options.groupId,
  [ATTRIBUTES.messagingClientId]: clientId,
});
