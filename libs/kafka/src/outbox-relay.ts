/**
 * Carries events from the outbox to Kafka.
 * @module
 */
import type { OutEvent } from '@mayfly/domain';
import { counter, gauge, METRICS, type Logger } from '@mayfly/telemetry';
import { startWorker, type Worker } from '@mayfly/worker';
import type { EventProducer } from './ports.js';
import { publishEvents, type Publisher } from './publish-events.js';

/** An event that waits to be published. */
export interface OutboxRow {
  /** Grows with the order of writing. */
  readonly id: string;
  readonly event: OutEvent;
}

/** Where waiting events are; the ledger implements it. */
export interface OutboxSource {
  /**
   * Takes the oldest rows in the order of their ids and deletes them once `publish` resolved; if it rejects they stay. One taker at a time.
   * @returns how many were published
   */
  takeBatch(limit: number, publish: (rows: OutboxRow[]) => Promise<void>): Promise<number>;
  /** Age of the oldest waiting event, in seconds; 0 when none waits. */
  lagSeconds(): Promise<number>;
}

/** What a relay carries from where to where. */
export interface OutboxRelayOptions extends Publisher {
  readonly outbox: OutboxSource;
  readonly producer: EventProducer;
  readonly logger: Logger;
}

const BATCH = 200;
/** Looked at even without a hint, since a hint can be missed. */
const EVERY_MILLISECONDS = 1_000;
/** A transaction and a request to Kafka cost the same for one event as for many: after the first, which leaves at once, they go together. */
const GATHER_MILLISECONDS = 100;

const published = counter(METRICS.outboxPublished);
const failures = counter(METRICS.outboxFailures);

/**
 * Starts to publish what waits, in order, and goes on until stopped. `wake()` it when the ledger says that there is something new.
 * Every event is published at least once; while Kafka is away they wait.
 */
export function startOutboxRelay({ outbox, producer, logger, ...publisher }: OutboxRelayOptions): Worker {
  gauge(METRICS.outboxLag, () => outbox.lagSeconds());
  const publish = (rows: OutboxRow[]): Promise<void> =>
    publishEvents(
      producer,
      rows.map(({ id, event }) => ({ event, sequence: id })),
      publisher,
    );
  return startWorker({
    name: 'outbox',
    everyMilliseconds: EVERY_MILLISECONDS,
    gather: { milliseconds: GATHER_MILLISECONDS, batch: BATCH },
    logger,
    work: async () => {
      try {
        const count = await outbox.takeBatch(BATCH, publish);
        published.add(count);
        return count;
      } catch (error) {
        failures.add(1);
        throw error;
      }
    },
  });
}
