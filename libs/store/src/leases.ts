/**
 * Leases: the intent is written before Vault is called, and state changes only by compare-and-set.
 * @module
 */
import type { GrantId, LeaseRef } from '@mayfly/domain';
import { mayLeaseGo, type Lease, type LeaseState } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { assignments, LEASE, nameOf, readLease, rowsOf, selectList } from './columns.js';

const ALL = selectList(LEASE);

/** What is written down before something is minted. */
export type IntendedLease = Pick<Lease, 'ref' | 'grantId' | 'name' | 'minter' | 'intendedAt'>;

/** Writes the intent to mint. False when the credential has a live lease already: there is never a second one. */
export const intendLease = async (tx: Sql, lease: IntendedLease): Promise<boolean> => (await intendLeases(tx, [lease])) === 1;

/** Writes many; returns how many of their credentials had no live lease. */
export async function intendLeases(tx: Sql, leases: readonly IntendedLease[]): Promise<number> {
  const rows = await tx.run('lease.intend_all', INTEND('$1'), [intentRows(leases)]);
  return rows.length;
}

/** The statement that does so, which gives a row for each; they are the JSON text of {@link intentRows} in this parameter. */
export const INTEND = (parameter: string): string =>
  `insert into ledger.lease (ref, grant_id, name, state, prior_state, minter, intended_at)
     select ref, grant_id, name, 'minting', 'none', minter, intended_at from jsonb_populate_recordset(null::ledger.lease, ${parameter}::jsonb)
     on conflict (grant_id, name) where state in ('minting', 'active') do nothing returning 1`;

/** Intents as {@link INTEND} takes them. */
export const intentRows = (leases: readonly IntendedLease[]): string =>
  JSON.stringify(
    leases.map(({ ref, grantId, name, minter, intendedAt }) => ({ ref, grant_id: grantId, name, minter, intended_at: intendedAt })),
  );

/** All leases of a grant, oldest first. */
export async function leasesOf(sql: Sql, grantId: GrantId): Promise<Lease[]> {
  const rows = await sql.run('lease.of_grant', `select ${ALL} from ledger.lease where grant_id = $1 order by intended_at, ref`, [grantId]);
  return rows.map(readLease);
}

/** All leases of these grants, oldest first. */
export async function leasesOfAll(sql: Sql, grantIds: readonly GrantId[]): Promise<Lease[]> {
  const rows = await sql.run('lease.of_grants', `select ${ALL} from ledger.lease where grant_id = any($1) order by intended_at, ref`, [
    grantIds,
  ]);
  return rows.map(readLease);
}

/** One lease by its public reference. */
export async function findLease(sql: Sql, ref: LeaseRef): Promise<Lease | undefined> {
  const [row] = await sql.run('lease.by_ref', `select ${ALL} from ledger.lease where ref = $1`, [ref]);
  return row && readLease(row);
}

/** Leases by their public references. */
export async function leasesByRef(sql: Sql, refs: readonly LeaseRef[]): Promise<Lease[]> {
  if (refs.length === 0) return [];
  const rows = await sql.run('lease.by_refs', `select ${ALL} from ledger.lease where ref = any($1)`, [refs]);
  return rows.map(readLease);
}

/** The same as {@link findLease}, locked until the transaction ends. */
export async function lockLease(tx: Sql, ref: LeaseRef): Promise<Lease | undefined> {
  const [row] = await tx.run('lease.lock', `select ${ALL} from ledger.lease where ref = $1 for update`, [ref]);
  return row && readLease(row);
}

/** Fields that may change together with, or without, a state. */
export type LeasePatch = Partial<Omit<Lease, 'ref' | 'grantId' | 'name' | 'state'>>;

/** One lease's part of a {@link transitionLeases}; all of one call name the same fields. */
export interface LeaseChange {
  readonly ref: LeaseRef;
  readonly patch: { readonly [Field in keyof LeasePatch]: LeasePatch[Field] | null };
}

/**
 * The only way leases' states change: compare-and-set.
 * @returns those that were changed; the others were not (or no longer) in one of `from`, which is a normal outcome
 */
export async function transitionLeases(
  tx: Sql,
  from: readonly LeaseState[],
  to: LeaseState,
  changes: readonly LeaseChange[],
): Promise<Lease[]> {
  const illegal = from.find((state) => !mayLeaseGo(state, to));
  if (illegal) throw new TypeError(`a lease may not go from ${illegal} to ${to}`);
  if (changes.length === 0) return [];
  const { list, rows } = rowsOf(
    LEASE,
    changes.map(({ ref, patch }) => [{ ref }, patch]),
  );
  const changed = await tx.run(
    nameOf('lease.go', changes[0]?.patch ?? {}),
    // By the references, never by the state: how many are in a state changes faster than the planner's idea of it.
    `update ledger.lease old set state = $2, prior_state = old.state${list} from jsonb_populate_recordset(null::ledger.lease, $3::jsonb) as new
     where old.ref = any($4::text[]) and old.ref = new.ref and old.state || '' = any($1) returning ${selectList(LEASE, 'old')}`,
    [[...from], to, rows, changes.map(({ ref }) => ref)],
  );
  return changed.map(readLease);
}

/** The same for one lease; undefined when it was not (or no longer) in `from`. */
export async function transitionLease(
  tx: Sql,
  ref: LeaseRef,
  from: LeaseState,
  to: LeaseState,
  patch: LeasePatch = {},
): Promise<Lease | undefined> {
  return (await transitionLeases(tx, [from], to, [{ ref, patch }]))[0];
}

/** Changes fields of a lease that is in one of the given states; undefined when it is in none of them. */
export async function amendLease(tx: Sql, ref: LeaseRef, states: readonly LeaseState[], patch: LeasePatch): Promise<Lease | undefined> {
  const { list, values } = assignments(LEASE, patch, 3);
  const [row] = await tx.run(
    nameOf('lease.amend', patch),
    `update ledger.lease set ${list} where ref = $1 and state = any($2) returning ${ALL}`,
    [ref, [...states], ...values],
  );
  return row && readLease(row);
}

/** How many leases shall die and are not proven dead, how many of these are stuck, and for how long the oldest has been asked for, in seconds. */
export async function countOpenRevocations(sql: Sql): Promise<{ open: number; stuck: number; oldestSeconds: number }> {
  const [row] = await sql.run<{ open: number; stuck: number; oldestSeconds: number }>(
    'lease.open_revocations',
    `select count(*)::int as open, count(*) filter (where state = 'stuck')::int as stuck,
       coalesce(extract(epoch from now() - min(requested_at)), 0)::float as "oldestSeconds" from ledger.lease where state in ('revoking', 'stuck')`,
  );
  return row ?? { open: 0, stuck: 0, oldestSeconds: 0 };
}

/** How many credentials were, or may have been, minted under a grant. Exact while its row is locked. */
export async function countMints(tx: Sql, grantId: GrantId): Promise<number> {
  const [row] = await tx.run<{ count: number }>(
    'lease.count_mints',
    `select count(*)::int as count from ledger.lease where grant_id = $1 and state <> 'failed'`,
    [grantId],
  );
  return row?.count ?? 0;
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
