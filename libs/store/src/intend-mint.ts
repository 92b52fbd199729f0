/**
 * INVARIANT: intent precedes effect. What will be minted is written down, and stated as evidence, before Vault is called.
 * @module
 */
import { newLeaseRef } from '@mayfly/domain';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { stateFact } from './evidence.js';
import { findLease, intendLease } from './leases.js';

/** Writes an intent to mint; undefined when the credential has a live lease already. */
export async function intendMint(
  tx: Sql,
  grant: Grant,
  { name, capability, policyDigest }: Pick<Credential, 'name' | 'capability' | 'policyDigest'>,
  minter: Lease['minter'],
  at: Date,
): Promise<Lease | undefined> {
  const ref = newLeaseRef();
  if (!(await intendLease(tx, { ref, grantId: grant.id, name, minter, intendedAt: at }))) return undefined;
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.mint-intended.v1',
    at: at.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: minter,
    data: { credential: name, capability, leaseRef: ref, policyDigest },
  });
  return findLease(tx, ref);
}
