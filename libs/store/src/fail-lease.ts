/**
 * An intent that came to nothing.
 * @module
 */
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { endLease } from './ending.js';
import { stateFact } from './evidence.js';
import { lockGrant } from './grants.js';
import { lockLease, transitionLease } from './leases.js';

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

/**
 * Vault refused for good: the issuer gives an intent up. Where something was minted and written down before the refusal, it may live: that
 * lease has to end, and is not said to have failed.
 */
export async function giveUpLease(
  tx: Sql,
  { id }: Grant,
  credential: Credential | undefined,
  { ref }: Lease,
  reason: string,
  at: Date,
): Promise<void> {
  const grant = await lockGrant(tx, id);
  const lease = await lockLease(tx, ref);
  if (!grant || !lease) return;
  if (lease.vaultLeaseId && credential) await endLease(tx, grant, credential, lease, { cause: 'superseded', by: 'issuer', at });
  else await failLease(tx, grant, lease, 'issuer', reason, at);
}
