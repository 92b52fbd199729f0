import { Controller, Inject, type Type } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { Clock } from '@mayfly/domain';
import type { EventRecord } from '@mayfly/kafka';
import { checkTimeWindow, readTaskEvent, RejectedEvent } from '@mayfly/task-events';
import type { Logger } from '@mayfly/telemetry';
import { Issuing } from './issuing.js';

/** What the consumer is given beside {@link Issuing}. */
export const CONSUMER_TOOLS = Symbol('consumer tools');
/** See {@link CONSUMER_TOOLS}. */
export interface ConsumerTools {
  readonly logger: Logger;
  readonly clock: Clock;
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
      if (message?.kind !== 'started') return;
      checkTimeWindow(message.envelope, this.tools.clock);
      const failure = await this.issuing.onTaskStarted(message);
      if (failure)
        this.tools.logger.warn('admitted, but not minted yet; it is tried again', { taskId: message.task.taskId, error: failure });
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
