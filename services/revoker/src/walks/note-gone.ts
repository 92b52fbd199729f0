import type { Grant, Lease } from '@mayfly/grant';
import { stateFact, type Sql } from '@mayfly/store';

/** How many rows of the ledger one walk mends. */
export const PAGE = 100;
/** What would have ended by itself within so many seconds is not called ended by somebody. */
export const OWN_END_SECONDS = 10;

/** Vault no longer has what the ledger said lives: somebody with power over Vault ended it, or Vault was restored from a copy that never had it. */
export const noteGone = (tx: Sql, { tenant, taskId }: Grant, what: string, at: Date, lease?: Lease): Promise<void> =>
  stateFact(tx, {
    kind: 'dev.mayfly.evidence.gone-in-vault.v1',
    at: at.toISOString(),
    tenant,
    taskId,
    by: 'revoker',
    data: { what, ...(lease && { credential: lease.name, leaseRef: lease.ref }) },
  });
