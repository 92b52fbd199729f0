/**
 * Evidence of events that no honest orchestrator sends.
 * @module
 */
import { isTaskId, type Clock } from '@mayfly/domain';
import { describeRecord, type ConsumerOptions } from '@mayfly/kafka';
import { stateFact, type Database } from '@mayfly/store';
import { SECURITY_REASONS } from '@mayfly/task-events';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';
import { Allowance } from './allowance.js';

const suspicious = counter(METRICS.suspiciousEvents);

/** Evidence at once, and per second after that. Every event counts in the metric and keeps its dead letter; a flood must not fill the log. */
const BURST = 100;
const PER_SECOND = 5;

/** States forged, replayed and contradicting events as evidence before they are parked. What the record claims stays a claim. */
export function stateSuspicion({
  service,
  database,
  clock,
}: {
  readonly service: string;
  readonly database: Database;
  readonly clock: Clock;
}): NonNullable<ConsumerOptions['beforePark']> {
  const allowance = new Allowance(clock, BURST, PER_SECOND);
  return async (record, { reason, detail }) => {
    if (!(SECURITY_REASONS as readonly string[]).includes(reason)) return;
    suspicious.add(1, { [ATTRIBUTES.reason]: reason });
    if (!allowance.take()) return;
    const { attributes } = describeRecord(record);
    await database.transaction('state suspicion', (tx) =>
      stateFact(tx, {
        kind: 'dev.mayfly.evidence.event-refused.v1',
        at: clock.now().toISOString(),
        ...(record.key !== null && isTaskId(record.key) && { taskId: record.key }),
        by: service,
        data: {
          reason,
          detail,
          claimedSource: attributes[ATTRIBUTES.eventSource],
          claimedId: attributes[ATTRIBUTES.eventId],
          claimedType: attributes[ATTRIBUTES.eventType],
          origin: `${record.topic}/${record.partition}/${record.offset}`,
        },
      }),
    );
  };
}
