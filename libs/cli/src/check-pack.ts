/**
 * Checking the evidence of one task without the log that it comes from.
 * @module
 */
import { hashOf, type EvidenceRecord, type Head } from '@mayfly/evidence-log';

/** What `mayfly evidence export` writes. */
export interface EvidencePack {
  readonly taskId: string;
  /** The task's records, in the log's order; the log has others between them. */
  readonly records: readonly EvidenceRecord[];
  /** The head of the log when the pack was made. */
  readonly checkpoint: Head;
}

/** What is wrong with a pack. */
export interface PackFlaw {
  readonly index: number;
  readonly problem: 'content-changed' | 'chain-broken' | 'out-of-order' | 'foreign-task' | 'beyond-checkpoint' | 'head-differs';
}

/** The first thing that is wrong; undefined when every record is what it was. It cannot tell that records are missing: only the whole log can. */
export function checkPack({ taskId, records, checkpoint }: EvidencePack): PackFlaw | undefined {
  let before: EvidenceRecord | undefined;
  for (const record of records) {
    const problem = flawOf(record, before, taskId, checkpoint);
    if (problem) return { index: record.index, problem };
    before = record;
  }
  return undefined;
}

function flawOf(record: EvidenceRecord, before: EvidenceRecord | undefined, taskId: string, head: Head): PackFlaw['problem'] | undefined {
  const { hash, ...content } = record;
  if (hashOf(content) !== hash) return 'content-changed';
  if (record.taskId !== taskId) return 'foreign-task';
  if (before && record.index <= before.index) return 'out-of-order';
  if (before && record.index === before.index + 1 && record.previousHash !== before.hash) return 'chain-broken';
  if (record.index >= head.size) return 'beyond-checkpoint';
  return record.index === head.size - 1 && hash !== head.hash ? 'head-differs' : undefined;
}
