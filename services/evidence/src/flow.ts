/**
 * From a stated fact to its place in the log, on one screen: take from the intake, chain, append, announce; one transaction, one writer.
 * @module
 */
import { newEventId, OUT_EVENTS, TOPICS, type Clock, type OutEvent } from '@mayfly/domain';
import type { EvidenceRecord } from '@mayfly/evidence-log';
import { chainFacts, factsWait, putInOutbox, type Database } from '@mayfly/store';
import { counter, METRICS } from '@mayfly/telemetry';

/** Facts that are chained together at most. */
export const PAGE = 200;
const appended = counter(METRICS.evidenceRecords);

/** Chains a page of facts; returns how many. */
export async function chainPage({ database, clock }: { readonly database: Database; readonly clock: Clock }): Promise<number> {
  // Mostly there is nothing: that is asked without a transaction.
  if (!(await factsWait(database))) return 0;
  const count = await database.transaction('chain facts', async (tx) => {
    const events: OutEvent[] = [];
    const moved = await chainFacts(tx, PAGE, (record, traceparent) => void events.push(recordEvent(record, traceparent, clock.now())));
    await putInOutbox(tx, 'evidence', events);
    return moved;
  });
  if (count > 0) appended.add(count);
  return count;
}

/** Records without a task share one key, so that their order holds too. */
const recordEvent = (record: EvidenceRecord, traceparent: string | undefined, time: Date): OutEvent => ({
  id: newEventId(),
  type: OUT_EVENTS.evidenceRecord,
  topic: TOPICS.evidence,
  key: record.taskId ?? 'mayfly',
  time,
  data: { ...record },
  ...(traceparent && { traceparent }),
});
