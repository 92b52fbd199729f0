/**
 * Leases: the intent is written before Vault is called, and state changes only by compare-and-set.
 * @module
 */
import type { GrantId, LeaseRef } from '@mayfly/domain';
import { mayLeaseGo, type Lease, type LeaseState } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { assignments, LEASE, readLease, selectList } from './columns.js';

const ALL = selectList(LEASE);

/** Writes the intent to mint. False when the credential has a live lease already: there is never a second one. */
export async function intendLease(tx: Sql, lease: Pick<Lease, 'ref' | 'grantId' | 'name' | 'minter' | 'intendedAt'>): Promise<boolean> {
  const rows = await tx.run(
    'lease.intend',
    `insert into ledger.lease (ref, grant_id, name, state, prior_state, minter, intended_at) values ($1, $2, $3, 'minting', 'none', $4, $5)
     on conflict (grant_id, name) where state in ('minting', 'active') do nothing returning 1`,
    [lease.ref, lease.grantId, lease.name, lease.minter, lease.intendedAt],
  );
  return rows.length > 0;
}

/** All leases of a grant, oldest first. */
export async function leasesOf(sql: Sql, grantId: GrantId): Promise<Lease[]> {
  const rows = await sql.run('lease.of_grant', `select ${ALL} from ledger.lease where grant_id = $1 order by intended_at, ref`, [grantId]);
  return rows.map(readLease);
}

/** One lease by its public reference. */
export async function findLease(sql: Sql, ref: LeaseRef): Promise<Lease | undefined> {
  const [row] = await sql.run('lease.by_ref', `select ${ALL} from ledger.lease where ref = $1`, [ref]);
  return row && readLease(row);
}

/** Fields that may change together with, or without, a state. */
export type LeasePatch = Partial<Omit<Lease, 'ref' | 'grantId' | 'name' | 'state'>>;

/**
 * The only way a lease's state changes: compare-and-set.
 * @returns the changed lease, or undefined when it was not (or no longer) in `from`, which is a normal outcome
 */
export async function transitionLease(
  tx: Sql,
  ref: LeaseRef,
  from: LeaseState,
  to: LeaseState,
  patch: LeasePatch = {},
): Promise<Lease | undefined> {
  if (!mayLeaseGo(from, to)) throw new TypeError(`a lease may not go from ${from} to ${to}`);
  const { list, values } = assignments(LEASE, patch, 4);
  const [row] = await tx.run(
    '',
    `update ledger.lease set state = $3, prior_state = $2${list} where ref = $1 and state = $2 returning ${ALL}`,
    [ref, from, to, ...values],
  );
  return row && readLease(row);
}

/** Changes fields of a lease that is in one of the given states; undefined when it is in none of them. */
export async function amendLease(tx: Sql, ref: LeaseRef, states: readonly LeaseState[], patch: LeasePatch): Promise<Lease | undefined> {
  const { list, values } = assignments(LEASE, patch, 3);
  const [row] = await tx.run('', `update ledger.lease set ref = ref${list} where ref = $1 and state = any($2) returning ${ALL}`, [
    ref,
    [...states],
    ...values,
  ]);
  return row && readLease(row);
}

/** How many leases shall die and are not proven dead, and how many of these are stuck. */
export async function countOpenRevocations(sql: Sql): Promise<{ open: number; stuck: number }> {
  const [row] = await sql.run<{ open: number; stuck: number }>(
    'lease.open_revocations',
    `select count(*)::int as open, count(*) filter (where state = 'stuck')::int as stuck from ledger.lease where state in ('revoking', 'stuck')`,
  );
  return row ?? { open: 0, stuck: 0 };
}

/** Writes down what Vault and the target call a fresh copy; false when the lease has another copy's names, or is over. */
export async function noteMinted(sql: Sql, ref: LeaseRef, names: Pick<Lease, 'vaultLeaseId' | 'principal'>): Promise<boolean> {
  const rows = await sql.run(
    'lease.note_minted',
    `update ledger.lease set vault_lease_id = $2, principal = $3
     where ref = $1 and vault_lease_id is null and principal is null and state in ('minting', 'revoking', 'stuck') returning 1`,
    [ref, names.vaultLeaseId ?? null, names.principal ?? null],
  );
  return rows.length > 0;
}
