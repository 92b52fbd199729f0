/**
 * Checking the evidence of one task: in itself, and against the log that it comes from.
 * @module
 */
import { GENESIS_HASH, hashOf, type EvidenceRecord, type Head } from '@mayfly/evidence-log';

/** What `mayfly evidence export` writes. */
export interface EvidencePack {
  readonly taskId: string;
  /** The task's records, in the log's order; the log has others between them. */
  readonly records: readonly EvidenceRecord[];
  /** The head of the log when the pack was made. */
  readonly checkpoint: Head;
}

/** What is wrong with a pack in itself. */
export interface PackFlaw {
  readonly index: number;
  readonly problem: 'content-changed' | 'chain-broken' | 'out-of-order' | 'foreign-task' | 'beyond-checkpoint' | 'head-differs';
}

/** Where a pack and the log are not the same; `index` is the place in the log. */
export interface Difference {
  readonly index: number;
  readonly problem: 'missing' | 'differs' | 'not-in-log' | 'beyond-head' | 'checkpoint-differs';
}

/** A pack from the JSON of a file; undefined when it is none: another form, no records, or a checkpoint that no log can have. */
export function packOf(json: unknown): EvidencePack | undefined {
  const { taskId, records, checkpoint } = (json ?? {}) as Partial<EvidencePack>;
  const isPack =
    typeof taskId === 'string' && Array.isArray(records) && records.length > 0 && records.every(isRecord) && isHead(checkpoint);
  return isPack ? { taskId, records, checkpoint } : undefined;
}

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isHead = (value: Partial<Head> | null | undefined): value is Head => isIndex(value?.size) && isHash(value?.hash);
const isRecord = (value: Partial<EvidenceRecord> | null): boolean =>
  isIndex(value?.index) && isHash(value?.hash) && isHash(value?.previousHash);

/**
 * The first thing that contradicts itself; undefined when every record is what its hash covers, and they are in order.
 * Whether records are missing, or were made anew with their hashes, only the log can tell: {@link compareWithLog}.
 */
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

/**
 * Compares a pack with a log that was verified: `see` every record of the log, then ask for the `differences`, by place.
 * @param head up to which the pack has to have exactly the task's records
 */
export function compareWithLog(
  pack: EvidencePack,
  head: Head,
): { readonly see: (record: EvidenceRecord) => void; readonly differences: () => Difference[] } {
  const unseen = new Map(pack.records.map(({ index, hash }) => [index, hash]));
  const found: Difference[] = [];
  let checkpointHash = pack.checkpoint.size === 0 ? GENESIS_HASH : undefined;
  return {
    see: ({ index, hash, taskId }) => {
      if (index === pack.checkpoint.size - 1) checkpointHash = hash;
      if (taskId !== pack.taskId || index >= head.size) return;
      const given = unseen.get(index);
      unseen.delete(index);
      if (given !== hash) found.push({ index, problem: given === undefined ? 'missing' : 'differs' });
    },
    differences: () => {
      const more = [...unseen.keys()].map((index) => ({ index, problem: index < head.size ? 'not-in-log' : 'beyond-head' }) as const);
      const last = checkpointHash === pack.checkpoint.hash ? [] : [{ index: pack.checkpoint.size, problem: 'checkpoint-differs' } as const];
      return [...[...found, ...more].sort((one, other) => one.index - other.index), ...last];
    },
  };
}
