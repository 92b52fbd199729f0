/**
 * A consumer of a group, by kafkajs with its own handling of batches.
 *
 * INVARIANT: an offset is committed only when every record before it is done: handled with a durable effect, or acknowledged in the
 * dead-letter topic. Whatever happens before that, the record is read again.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka as Client } from 'kafkajs';
import { errorType, type Logger } from '@mayfly/telemetry';
import { Deadline } from './deadline.js';
import { DonePrefix } from './done-prefix.js';
import { backoff, DEFAULT_PATIENCE, handleRecord, type Ending, type Handling } from './handle-record.js';
import type { ConsumerOptions, EventConsumer, Progress } from './ports.js';
import { originOf, received, type Received } from './received.js';
import { keepMembership } from './keep-membership.js';
import { OffsetCommits } from './offset-commits.js';
import { Slots } from '@mayfly/worker';
import { VitalSigns } from './vital-signs.js';
import { HandlersHang, startWatchdog } from './watchdog.js';
import { workThrough } from './work-through.js';

const DEFAULT_CONCURRENCY = 16;
const DEFAULT_HANDLER_MILLISECONDS = 60_000;
/** How soon a dead member's partitions go to another. Batches send their own heartbeats, so only a stalled process needs as long. */
const DEFAULT_SESSION_MILLISECONDS = 10_000;
/** How long the broker holds a fetch that finds nothing: an idle consumer asks once in this time. */
const FETCH_WAIT_MILLISECONDS = 1_000;

/** How long what is under way may take to finish when the process ends. */
const STOP_MILLISECONDS = 5_000;

/** {@link EventConsumer} by kafkajs. */
export class KafkaConsumer implements EventConsumer {
  readonly #consumer: Consumer;
  readonly #vital: VitalSigns;
  readonly #handling: Handling;
  readonly #stopping = new AbortController();
  readonly #commits = new OffsetCommits();
  #endWatch: () => void = () => undefined;
  /** Records that are done behind a gap, by origin: they come again with the record that is left. */
  readonly #ahead = new Set<string>();

  constructor(
    client: Client,
    clientId: string,
    private readonly options: ConsumerOptions,
    private readonly logger: Logger,
  ) {
    const sessionTimeout = options.sessionTimeoutMilliseconds ?? DEFAULT_SESSION_MILLISECONDS;
    this.#consumer = client.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      sessionTimeout,
      heartbeatInterval: sessionTimeout / 5,
      maxWaitTimeInMs: FETCH_WAIT_MILLISECONDS,
      retry: {
        initialRetryTime: 100,
        multiplier: 2,
        maxRetryTime: 5_000,
        retries: 5,
        restartOnFailure: () => Promise.resolve(!this.#stopping.signal.aborted),
      },
    });
    this.#vital = new VitalSigns(this.#consumer);
    const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
    this.#handling = {
      options,
      clientId,
      logger,
      slots: new Slots(concurrency),
      deadline: new Deadline(options.handlerMilliseconds ?? DEFAULT_HANDLER_MILLISECONDS, {
        count: concurrency,
        reached: () => this.#end(new HandlersHang(`${concurrency} handlers hang`)),
      }),
      progressed: () => this.#vital.sign(),
      tries: new Map(),
    };
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload: { error, restart } }) => this.#crashed(error, restart));
    // Those who get its partitions need not do again what is done: the broker takes it until all have joined anew.
    this.#consumer.on(this.#consumer.events.REBALANCING, () => void this.#commits.now());
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, ({ payload: { groupId, memberAssignment } }) =>
      this.#joined(groupId, memberAssignment),
    );
  }

  async start(): Promise<void> {
    this.#endWatch = startWatchdog(
      () => this.#vital.read().alive,
      (error) => this.#end(error),
    );
    const { topics, groupId } = this.options;
    for (let tries = 1; !this.#stopping.signal.aborted; tries += 1) {
      try {
        await this.#consumer.connect();
        await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
        await this.#consumer.run({
          eachBatch: (payload) => this.#eachBatch(payload),
          eachBatchAutoResolve: false,
          autoCommit: false,
          partitionsConsumedConcurrently: this.options.concurrency ?? DEFAULT_CONCURRENCY,
        });
        return;
      } catch (error) {
        this.#vital.sign();
        if (tries === 1) this.logger.warn('Kafka or its topics are not there yet, the consumer goes on trying', { groupId, topics, error });
        await this.#consumer.disconnect().catch(() => undefined);
        await this.#pause(backoff(DEFAULT_PATIENCE, tries));
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#endWatch();
    // kafkajs waits for ever for a handler that hangs, or for a broker that is away; the process has to end all the same.
    const patience = pause(STOP_MILLISECONDS, undefined, { ref: false });
    const leaving = Promise.all([this.#commits.now(), this.#consumer.disconnect()]);
    await Promise.race([leaving.catch(() => undefined), patience]);
  }

  progress(): Progress {
    return this.#vital.read();
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, isRunning, resolveOffset } = payload;
    const records = batch.messages.map((message) => received(batch.topic, batch.partition, message));
    const prefix = new DonePrefix(records.map(({ offset }) => offset));
    const membership = keepMembership(payload, this.#stopping.signal);
    const handle = async (record: Received): Promise<Ending> => {
      if (this.#ahead.has(originOf(record))) return 'done';
      return membership.signal.aborted || !isRunning() ? 'left' : handleRecord(this.#handling, record, membership.signal);
    };
    try {
      await workThrough(records, handle, ({ offset }) => {
        const last = prefix.finish(offset);
        if (last === undefined) return;
        resolveOffset(last);
        this.#commits.note(payload);
      });
    } finally {
      membership.end();
    }
    if (this.#stopping.signal.aborted) await this.#commits.now();
    membership.throwIfLost();
    this.#rememberAhead(records, prefix);
    if (!prefix.complete && !membership.signal.aborted) this.#letRest(records, payload.pause);
  }

  #rememberAhead(records: readonly Received[], prefix: DonePrefix): void {
    for (const record of records) this.#ahead.delete(originOf(record));
    const beyond = new Set(prefix.beyond());
    for (const record of records) if (beyond.has(record.offset)) this.#ahead.add(originOf(record));
  }

  /** Keeps a partition out of the fetches for a while, so that the others are not held up by what fails in it. */
  #letRest(records: readonly Received[], rest: () => () => void): void {
    const { patience = DEFAULT_PATIENCE } = this.options;
    const tries = Math.max(...records.map((record) => this.#handling.tries.get(originOf(record)) ?? 1));
    const resume = rest();
    void this.#pause(backoff(patience, tries)).then(resume);
  }

  async #pause(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  /** The assignment is new: what was remembered of partitions may have been done by others, or undone by a reset of offsets. */
  #joined(groupId: string, partitions: Readonly<Record<string, number[]>>): void {
    this.logger.info('consumer joined its group', { groupId, partitions });
    this.#commits.forget();
    this.#ahead.clear();
    this.#handling.tries.clear();
  }

  #crashed(error: unknown, restart: boolean): void {
    this.#vital.sign();
    this.logger.warn(restart ? 'consumer lost Kafka, it starts again' : 'consumer ended', {
      groupId: this.options.groupId,
      problem: errorType(error),
    });
    if (!restart) this.#end(error);
  }

  #end(error: unknown): void {
    if (!this.#stopping.signal.aborted) this.options.onCrash(error);
  }
}
