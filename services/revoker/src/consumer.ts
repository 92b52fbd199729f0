import { Controller, Inject, type Type } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { EventRecord } from '@mayfly/kafka';
import { readTaskEvent, RejectedEvent, type TaskMessage } from '@mayfly/task-events';
import { Revoking } from './revoking.js';

/** Reads ends and heartbeats from the tasks topic. */
export const tasksConsumer = (topic: string): Type => {
  @Controller()
  class TasksConsumer {
    constructor(@Inject(Revoking) private readonly revoking: Revoking) {}

    @EventPattern<Record<string, EventRecord>>(topic)
    async onRecord(@Payload() record: EventRecord): Promise<void> {
      const message = readOrLeave(record);
      if (message?.kind === 'ended') await this.revoking.onTaskEnded(message);
      if (message?.kind === 'heartbeat') await this.revoking.onHeartbeat(message);
    }
  }
  return TasksConsumer;
};

/** What cannot be read is left to the issuer, which reads the same topic and parks it: one dead letter, not two. */
function readOrLeave(record: EventRecord): TaskMessage | undefined {
  try {
    return readTaskEvent(record);
  } catch (error) {
    if (error instanceof RejectedEvent) return undefined;
    throw error;
  }
}
