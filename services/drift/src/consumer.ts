import { Controller, Inject, type Type } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { EventRecord } from '@mayfly/kafka';
import { readSignal } from '@mayfly/task-events';
import type { Worker } from '@mayfly/worker';
import { followRisk, type SignalDependencies } from './flow.js';
import { followSecurityEvent } from './follow-security-event.js';

/** What the consumer is given. */
export const CONSUMER_TOOLS = Symbol('consumer tools');
/** See {@link CONSUMER_TOOLS}. */
export interface ConsumerTools {
  readonly on: SignalDependencies;
  /** Follows the current policy set. */
  readonly follower: Worker;
}

/** Reads the signals topic. */
export const signalsConsumer = (topic: string): Type => {
  @Controller()
  class SignalsConsumer {
    constructor(@Inject(CONSUMER_TOOLS) private readonly tools: ConsumerTools) {}

    @EventPattern<Record<string, EventRecord>>(topic)
    async onRecord(@Payload() record: EventRecord): Promise<void> {
      const signal = readSignal(record);
      // Only a hint: which set is current is the ledger's to say, so that a forged one does no harm.
      if (signal.kind === 'policy-changed') this.tools.follower.wake();
      else if (signal.kind === 'security-event') await followSecurityEvent(this.tools.on, signal.token);
      else await followRisk(this.tools.on, signal);
    }
  }
  return SignalsConsumer;
};
