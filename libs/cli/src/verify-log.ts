/**
 * Checking the whole log, page by page, without trusting who serves it.
 * @module
 */
import { ChainVerifier, type EvidenceRecord, type Flaw, type Head } from '@mayfly/evidence-log';
import type { ConsoleClient } from './console-client.js';

interface Page {
  readonly records: readonly EvidenceRecord[];
  readonly checkpoint: Head;
}

const PAGE = 500;

/** What was found: how far the log is intact, and the flaw where it is not. */
export interface Verdict {
  readonly head: Head;
  readonly flaw?: Flaw;
}

/**
 * Reads all of the log and checks it.
 * @param known an earlier head that the log must still contain
 * @param see gets each record that fits into the chain
 */
export async function verifyLog(
  operators: Pick<ConsoleClient, 'get'>,
  known?: Head,
  see?: (record: EvidenceRecord) => void,
): Promise<Verdict> {
  const verifier = new ChainVerifier(known);
  // The head that the log claimed before it was read: a log that hides its end, or says another head than it has, is found by it.
  let claimed: Head | undefined;
  for (;;) {
    const { records, checkpoint } = await operators.get<Page>('/v1/evidence', { from: verifier.head.size, limit: PAGE });
    claimed ??= checkpoint;
    for (const record of records) {
      const flaw = verifier.next(record) ?? differs(verifier.head, claimed);
      if (flaw) return { head: verifier.head, flaw };
      see?.(record);
    }
    if (records.length === 0) break;
  }
  const { head } = verifier;
  const flaw = verifier.end() ?? (head.size < claimed.size ? ({ index: head.size, problem: 'shortened' } as const) : undefined);
  return { head, ...(flaw && { flaw }) };
}

const differs = (head: Head, claimed: Head): Flaw | undefined =>
  head.size === claimed.size && head.hash !== claimed.hash ? { index: head.size - 1, problem: 'head-differs' } : undefined;
