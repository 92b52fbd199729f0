/**
 * From a stated fact to its place in the log, on one screen: take from the intake, chain, append, announce; one transaction, one writer.
 * @module
 */
import { newEventId, OUT_EVENTS, TOPICS, type Clock } from '@mayfly/domain';
import type { EvidenceRecord } from '@mayfly/evidence-log';
import { chainFacts, putInOutbox, type Database } from '@mayfly/store';
import { counter, METRICS } from '@mayfly/telemetry';

const PAGE = 200;
const appended = counter(METRICS.evidenceRecords);

/** Chains a page of facts; returns how many. */
export async function chainPage({ database, clock }: { readonly database: Database; readonly clock: Clock }): Promise<number> {
  const count = await database.transaction('chain facts', (tx) =>
    chainFacts(tx, PAGE, (record, traceparent) => putInOutbox(tx, 'evidence', recordEvent(record, traceparent, clock.now()))),
  );
  if (count > 0) appended.add(count);
  return count;
}

/** Records without a task share one key, so that their order holds too. */
const recordEvent = (record: EvidenceRecord, traceparent: string | undefined, time: Date) => ({
  id: newEventId(),
  type: OUT_EVENTS.evidenceRecord,
  topic: TOPICS.evidence,
  key: record.taskId ?? 'mayfly',
  time,
  data: { ...record },
  ...(traceparent && { traceparent }),
});
