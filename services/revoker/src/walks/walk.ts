/**
 * A reconciler's walk: lists what exists somewhere, asks the ledger what explains it, ends what nothing has explained for too long, and says so.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { OrphanWatch } from '@mayfly/revocation';
import type { Database } from '@mayfly/store';
import { ATTRIBUTES, SPANS, withSpan, type Logger } from '@mayfly/telemetry';
import { noteOrphan, type Orphan } from '../note-orphan.js';

/** What every walk works with. */
export interface WalkDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a walk ended. */
export type Ended = Omit<Orphan, 'kind'>;

/** One kind of thing in one place. To add one, see {@link file://./all-walks.ts}. */
export interface Walk {
  /** For metrics: `token`, or the secrets engine whose things are listed. */
  readonly kind: string;
  readonly watch: OrphanWatch;
  /** Everything that exists there. */
  readonly list: () => Promise<readonly string[]>;
  /** Of these, what nothing explains. */
  readonly unexplained: (names: readonly string[]) => Promise<readonly string[]>;
  /** Ends one; undefined when it turned out to be none of ours, or over. */
  readonly end: (name: string) => Promise<Ended | undefined>;
  /** The other way round: what the ledger says lives and is not in the list is looked at, and ended there too. Returns how many there were. */
  readonly missing?: (names: readonly string[]) => Promise<number>;
}

/**
 * Walks once. What cannot be listed or ended is an error: it is walked again.
 * @returns true when all is settled: on the same list and the same ledger the next walk would have nothing to do
 */
export function walk({ database, clock, logger }: WalkDependencies, one: Walk): Promise<boolean> {
  return withSpan(SPANS.reconcile, { root: true, attributes: { [ATTRIBUTES.engine]: one.kind } }, async () => {
    const lookedAt = clock.now();
    // INVARIANT: listed first, then asked: what is minted in between is named by the ledger or not in the list.
    const names = await one.list();
    const failures: unknown[] = [];
    for (const name of one.watch.overdue(await one.unexplained(names), lookedAt)) {
      // One that resists does not save the others.
      await endOrphan({ database, clock, logger }, one, name).catch((error: unknown) => failures.push(error));
    }
    const missing = (await one.missing?.(names)) ?? 0;
    if (failures.length > 0) throw failures[0];
    return missing === 0 && !one.watch.waits;
  });
}

async function endOrphan({ database, clock, logger }: WalkDependencies, { kind, end }: Walk, name: string): Promise<void> {
  const ended = await end(name);
  if (!ended) return;
  await noteOrphan({ database, clock }, { kind, ...ended });
  logger.error('something that nothing explains was found and ended', { engine: kind, ...ended.data, taskId: ended.grant?.taskId });
}
