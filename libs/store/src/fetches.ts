/**
 * What fetches read and write in the ledger: one statement for all that come together, since round trips are most of what a fetch costs.
 * @module
 */
import type { GrantId, LeaseRef } from '@mayfly/domain';
import type { Credential, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { CREDENTIAL, LEASE, readCredential, readLease, rowOf, selectList } from './columns.js';
import { INTAKE, intakeRows } from './evidence.js';
import { planMints, type MintIntent } from './intend-mint.js';
import { INTEND, intentRows } from './leases.js';
import { STANDING, standingOf, type Standing, type StandingRow } from './usage.js';
import type { VaultDigest } from './vault-digests.js';

/** A task as it is at one moment, with what it asked for, and the capabilities that are in Vault not what was declared when they were looked at. */
export interface Seen {
  readonly standing: Standing;
  readonly credentials: readonly Credential[];
  readonly differing: ReadonlyMap<string, Pick<VaultDigest, 'declared' | 'found'>>;
}

interface SeenRow extends StandingRow {
  readonly task_id: string;
  readonly credentials: readonly unknown[][];
  readonly differing: Readonly<Record<string, Pick<VaultDigest, 'declared' | 'found'>>> | null;
}

const SEEN = `select ${STANDING.columns},
  (select json_agg(json_build_array(${selectList(CREDENTIAL)}) order by position) from ledger.credential where grant_id = g.id) as credentials,
  (select json_object_agg(capability, json_build_object('declared', declared, 'found', found)) from ledger.vault_digest
     where declared is not null and found is distinct from declared) as differing
  from ${STANDING.from} where g.task_id = any($1)`;

/** How these tasks stand and what they asked for, as far as there are any, by task id: one statement, one moment. */
export async function seeTasks(sql: Sql, taskIds: readonly string[]): Promise<ReadonlyMap<string, Seen>> {
  const rows = await sql.run<SeenRow>('fetch.see', SEEN, [taskIds]);
  return new Map(
    rows.map((row) => [
      row.task_id,
      {
        standing: standingOf(row),
        credentials: (row.credentials ?? []).map((values) => readCredential(rowOf(CREDENTIAL, values))),
        differing: new Map(Object.entries(row.differing ?? {})),
      },
    ]),
  );
}

/** Names a credential. */
export type CredentialName = Pick<Credential, 'grantId' | 'name'>;

/** What is known of a credential under its grant's lock. */
export interface Fetchable {
  readonly credential: Credential;
  /** Its leases that live, or are not proven dead; oldest first. */
  readonly leases: readonly Lease[];
  /** Digest of the policy set that is current. */
  readonly digest: string | undefined;
}

const { grantId: _, name: __, ...OF_LEASE } = LEASE;
const NAMED = 'unnest($1::text[], $2::text[]) as named (grant_id, name)';
const namesOf = (names: readonly CredentialName[]): [GrantId[], string[]] => [
  names.map(({ grantId }) => grantId),
  names.map(({ name }) => name),
];

/** Credentials as they are under the locks of their grants, which whoever changes them holds; one that there is not is left out. */
export async function readFetchable(tx: Sql, names: readonly CredentialName[]): Promise<Fetchable[]> {
  const rows = await tx.run<{ digest: string | null; ref: string | null }>(
    'fetch.read',
    `select ${selectList(CREDENTIAL, 'c')}, ${selectList(OF_LEASE, 'l')}, (select digest from policy.current) as digest
     from ${NAMED} join ledger.credential c using (grant_id, name)
     left join ledger.lease l on l.grant_id = any($1) and l.grant_id = c.grant_id and l.name = c.name
       and l.state in ('minting', 'active', 'revoking', 'stuck')
     where c.grant_id = any($1) order by l.intended_at, l.ref`,
    namesOf(names),
  );
  const leases = rows.map((row) => (row.ref === null ? undefined : readLease(row)));
  const found = new Map<string, Fetchable & { leases: Lease[] }>();
  for (const [at, row] of rows.entries()) {
    const credential = readCredential(row);
    const known = found.get(credential.grantId + credential.name) ?? { credential, leases: [], digest: row.digest ?? undefined };
    found.set(credential.grantId + credential.name, known);
    if (leases[at]) known.leases.push(leases[at]);
  }
  return [...found.values()];
}

/** Fetches of credentials of different grants, all of them locked. */
export interface Fetches {
  /** Each is counted once. */
  readonly counted: readonly CredentialName[];
  /** Copies from the start, which are handed out now. */
  readonly handedOut: readonly LeaseRef[];
  /** What has to be minted for the others. */
  readonly intents: readonly MintIntent[];
  readonly at: Date;
}

/**
 * Counts fetches, notes what is handed out, and writes the intents of what is to be minted with their evidence. Nobody is woken for it: what
 * comes of it is stated too, and wakes who chains it.
 * @returns the credentials with their new counts, and the intended leases in the order of the intents
 * @throws TypeError when a credential is not there, or what shall be minted has a live lease
 */
export async function noteFetches(
  tx: Sql,
  { counted, handedOut, intents, at }: Fetches,
): Promise<{ readonly credentials: readonly Credential[]; readonly intended: readonly Lease[] }> {
  if (counted.length === 0) return { credentials: [], intended: [] };
  const { leases, facts } = planMints(intents);
  const written = await tx.run<{ intended: number }>(
    'fetch.note',
    `with counted as (
       update ledger.credential c set fetches = c.fetches + 1 from ${NAMED}
       where c.grant_id = any($1) and c.grant_id = named.grant_id and c.name = named.name returning ${selectList(CREDENTIAL, 'c')}
     ), handed as (
       update ledger.lease set delivered_at = $4 where ref = any($3) and state || '' = 'active'
     ), intended as (${INTEND('$5')}), ${INTAKE('$6')}
     select counted.*, (select count(*)::int from intended) as intended from counted`,
    [...namesOf(counted), handedOut, at, intentRows(leases), intakeRows(facts)],
  );
  if (written.length < counted.length) throw new TypeError('a fetch is counted only for a credential that is there');
  if ((written[0]?.intended ?? 0) < leases.length) throw new TypeError('a credential that shall be minted has a lease');
  return { credentials: written.map(readCredential), intended: leases };
}
