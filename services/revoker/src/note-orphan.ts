/**
 * Saying that something was found which nothing explains, and ended.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import { stateFact, type Database } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';

/** What was ended, for people: nothing that would let them act. */
export interface Orphan {
  /** For metrics: `token`, or the secrets engine that made it. */
  readonly kind: string;
  /** The grant that it belonged to, where that can be told. */
  readonly grant?: Grant | undefined;
  readonly data: Readonly<Record<string, string>>;
}

const orphans = counter(METRICS.orphansFound);

/** Counts an orphan, and writes it into the evidence. */
export async function noteOrphan(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  { kind, grant, data }: Orphan,
): Promise<void> {
  orphans.add(1, { [ATTRIBUTES.engine]: kind });
  await stateFact(database, {
    kind: 'dev.mayfly.evidence.orphan-ended.v1',
    at: clock.now().toISOString(),
    tenant: grant?.tenant,
    taskId: grant?.taskId,
    by: 'revoker',
    data: { engine: kind, ...data },
  });
}
