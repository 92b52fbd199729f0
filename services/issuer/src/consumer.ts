import { Controller, Inject, type Type } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { Clock } from '@mayfly/domain';
import type { EventRecord } from '@mayfly/kafka';
import { checkTimeWindow, readTaskEvent, RejectedEvent } from '@mayfly/task-events';
import type { Pool } from '@mayfly/worker';
import { Issuing } from './issuing.js';
import type { MintClaim } from './mint-book.js';

/** What the consumer is given beside {@link Issuing}. */
export const CONSUMER_TOOLS = Symbol('consumer tools');
/** See {@link CONSUMER_TOOLS}. */
export interface ConsumerTools {
  readonly clock: Clock;
  /** Mints what was admitted. */
  readonly minter: Pick<Pool<MintClaim>, 'offer'>;
}

/** Reads the tasks topic. The name is known only at the start, hence a class made to measure. */
export const tasksConsumer = (topic: string): Type => {
  @Controller()
  class TasksConsumer {
    constructor(
      @Inject(Issuing) private readonly issuing: Issuing,
      @Inject(CONSUMER_TOOLS) private readonly tools: ConsumerTools,
    ) {}

    /** Whatever cannot be read is parked here, once, for all who read this topic. */
    @EventPattern<Record<string, EventRecord>>(topic)
    async onRecord(@Payload() record: EventRecord): Promise<void> {
      const message = readOrSkip(record);
      if (message?.kind === 'ended') return this.issuing.onTaskEnded(message);
      if (message?.kind !== 'started') return;
      checkTimeWindow(message.envelope, this.tools.clock);
      // The record is done when it is admitted: a slow mint must not hold up the events behind it.
      await this.issuing.onTaskStarted(message, async (claim) => {
        if (!this.tools.minter.offer(claim)) await this.issuing.release(claim);
        return undefined;
      });
    }
  }
  return TasksConsumer;
};

/** A start of another format that asks for nothing is no fault: there is nothing to do. */
function readOrSkip(record: EventRecord) {
  try {
    return readTaskEvent(record);
  } catch (error) {
    if (error instanceof RejectedEvent && error.reason === 'nothing-asked') return undefined;
    throw error;
  }
}
