/**
 * Kafka as a transport of Nest. Nest's own retries poison events for ever, loses error types and moves on over what it does not know.
 * @module
 */
import type { INestApplication } from '@nestjs/common';
import { BaseRpcContext, Server, type NestMicroservice, type CustomTransportStrategy } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { ConsumerOptions, EventConsumer, EventRecord, Kafka, Progress } from './ports.js';
import { TrueErrors } from './true-errors.js';

/** The consumer's options, less what the handlers say. */
export interface KafkaStrategyOptions extends Omit<ConsumerOptions, 'topics' | 'handle'> {
  readonly kafka: Kafka;
}

/**
 * Calls `@EventPattern('<topic>')` handlers with the undecoded {@link EventRecord} as payload. The topics that have a handler are the
 * ones that are read. What handlers throw decides what becomes of the record, see {@link ConsumerOptions.handle}.
 *
 * @example
 * strategy.connectTo(app);
 * await app.startAllMicroservices();
 */
export class KafkaStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  override readonly transportId = Symbol('mayfly-kafka');
  #consumer: EventConsumer | undefined;

  constructor(private readonly options: KafkaStrategyOptions) {
    super();
  }

  /** Makes this a microservice of the application, together with the filter without which errors lose their type. */
  connectTo(app: INestApplication): void {
    // Nest binds handlers to the filters that it knows at that moment, which is at once unless deferred. The application calls the
    // modules' hooks itself, so the microservice must not call them a second time.
    const microservice = app.connectMicroservice({ strategy: this }, { deferInitialization: true }) as NestMicroservice;
    microservice.useGlobalFilters(new TrueErrors());
    microservice.registerListeners();
    microservice.setIsInitialized(true);
    microservice.setIsInitHookCalled(true);
  }

  /** Starts to read. Kafka need not be there: the consumer goes on trying, and {@link progress} tells. */
  listen(callback: (error?: unknown) => void): void {
    const { kafka, ...options } = this.options;
    const topics = [...this.messageHandlers.keys()];
    if (topics.length === 0) return callback(new TypeError('no @EventPattern handler: there is nothing to read'));
    this.#consumer = kafka.consumer({ ...options, topics, handle: (record) => this.#dispatch(record) });
    void this.#consumer.start();
    callback();
  }

  /** Lets what is under way finish, commits it and leaves the group. */
  async close(): Promise<void> {
    await this.#consumer?.stop();
  }

  /** How the consumer is doing; undefined before {@link listen}. */
  progress(): Progress | undefined {
    return this.#consumer?.progress();
  }

  on(): never {
    throw new TypeError('this transport has no events; ask for its progress');
  }

  unwrap<T>(): T {
    return this.#consumer as T;
  }

  async #dispatch(record: EventRecord): Promise<void> {
    const handler = this.messageHandlers.get(record.topic);
    if (!handler) throw new TypeError(`no handler for a topic that is read`);
    const outcome: unknown = await handler(record, new BaseRpcContext([record]));
    if (isObservable(outcome)) await lastValueFrom(outcome, { defaultValue: undefined });
  }
}
