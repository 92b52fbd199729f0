/**
 * An intent that came to nothing.
 * @module
 */
import type { Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { stateFact } from './evidence.js';
import { transitionLease } from './leases.js';

/** `minting → failed`, with evidence: Vault refused, and nothing exists. False when the lease was asked to end meanwhile. */
export async function failLease(
  tx: Sql,
  grant: Grant,
  { ref, name }: Lease,
  by: Lease['minter'],
  reason: string,
  at: Date,
): Promise<boolean> {
  if (!(await transitionLease(tx, ref, 'minting', 'failed', { lastProblem: reason }))) return false;
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.mint-failed.v1',
    at: at.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by,
    data: { credential: name, leaseRef: ref, reason },
  });
  return true;
}
