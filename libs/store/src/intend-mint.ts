/**
 * INVARIANT: intent precedes effect. What will be minted is written down, and stated as evidence, before Vault is called.
 * @module
 */
import { newLeaseRef, type LeaseRef } from '@mayfly/domain';
import type { Fact } from '@mayfly/evidence-log';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { stateFact, stateFacts, type StatedFact } from './evidence.js';
import { findLease, intendLease, intendLeases, type IntendedLease } from './leases.js';

/** What shall be minted, and by whom. */
export interface MintIntent {
  readonly grant: Pick<Grant, 'id' | 'tenant' | 'taskId' | 'traceparent'>;
  readonly credential: Pick<Credential, 'name' | 'capability' | 'policyDigest'>;
  readonly minter: Lease['minter'];
  readonly at: Date;
}

/** Writes an intent to mint; undefined when the credential has a live lease already. */
export async function intendMint(
  tx: Sql,
  grant: Grant,
  credential: MintIntent['credential'],
  minter: Lease['minter'],
  at: Date,
): Promise<Lease | undefined> {
  const ref = newLeaseRef();
  if (!(await intendLease(tx, leaseOf(ref, { grant, credential, minter, at })))) return undefined;
  await stateFact(tx, factOf(ref, { grant, credential, minter, at }));
  return findLease(tx, ref);
}

/**
 * Writes intents, for grants that were opened or locked in this transaction and credentials that have no live lease: nobody can be faster.
 * @returns the leases, in the order of the intents
 * @throws TypeError when somebody was
 */
export async function intendMints(tx: Sql, intents: readonly MintIntent[]): Promise<Lease[]> {
  if (intents.length === 0) return [];
  const { leases, facts } = planMints(intents);
  if ((await intendLeases(tx, leases)) < intents.length) throw new TypeError('a credential that shall be minted has a lease');
  await stateFacts(tx, facts);
  return leases;
}

/** The leases that intents become, and the evidence of them. */
export function planMints(intents: readonly MintIntent[]): { readonly leases: Lease[]; readonly facts: StatedFact[] } {
  const named = intents.map((intent) => [newLeaseRef(), intent] as const);
  return {
    leases: named.map(([ref, intent]) => ({ ...leaseOf(ref, intent), state: 'minting' })),
    facts: named.map(([ref, intent]) => ({ ...factOf(ref, intent), traceparent: intent.grant.traceparent })),
  };
}

const leaseOf = (ref: LeaseRef, { grant, credential, minter, at }: MintIntent): IntendedLease => ({
  ref,
  grantId: grant.id,
  name: credential.name,
  minter,
  intendedAt: at,
});

const factOf = (ref: LeaseRef, { grant, credential, minter, at }: MintIntent): Fact => ({
  kind: 'dev.mayfly.evidence.mint-intended.v1',
  at: at.toISOString(),
  tenant: grant.tenant,
  taskId: grant.taskId,
  by: minter,
  data: { credential: credential.name, capability: credential.capability, leaseRef: ref, policyDigest: credential.policyDigest },
});
