/**
 * A credential was ended at its target itself: it works no more, and nothing is said about the rest.
 * @module
 */
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { announceTask } from './changes.js';
import { stateFact } from './evidence.js';

/** What was done at the target. */
export interface Quarantined {
  readonly grant: Grant;
  readonly credential: Credential;
  readonly lease: Lease;
  /** Stable code: why the secrets engine could not. */
  readonly reason: string;
  /** How many principals there were. */
  readonly principals: number;
  readonly at: Date;
}

/** Writes it down, with evidence. */
export async function noteQuarantine(tx: Sql, { grant, credential, lease, reason, principals, at }: Quarantined): Promise<void> {
  const noted = await tx.run(
    'lease.quarantined',
    `update ledger.lease set quarantined_at = $2 where ref = $1 and state || '' in ('revoking', 'stuck') and quarantined_at is null returning 1`,
    [lease.ref, at],
  );
  // Another replica did it too, or it is proven dead by now.
  if (noted.length === 0) return;
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.credential-quarantined.v1',
    at: at.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: 'revoker',
    data: {
      credential: credential.name,
      capability: credential.capability,
      leaseRef: lease.ref,
      cause: lease.cause,
      requestedAt: lease.requestedAt?.toISOString(),
      target: credential.spec?.target,
      principals,
      reason,
    },
  });
  await announceTask(tx, grant.taskId);
}
