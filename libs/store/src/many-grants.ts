/**
 * What is asked when tasks end, and read and settled of their grants' killing, for many in one statement: when thousands end at once, a
 * statement each would be most of the cost.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { CREDENTIAL, GRANT, LEASE, readCredential, readGrant, readLease, rowOf, selectList } from './columns.js';
import type { Claimed } from './queues.js';

const ALL = selectList(GRANT);

/** Of these tasks, the ones that have a row, be it a tombstone. */
export async function knownTasks(sql: Sql, taskIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql.run<{ taskId: string }>(
    'grant.known',
    'select task_id as "taskId" from ledger.task_grant where task_id = any($1)',
    [taskIds],
  );
  return new Set(rows.map(({ taskId }) => taskId));
}

/** A grant with all that belongs to it. */
export interface WholeGrant {
  readonly grant: Grant;
  readonly credentials: readonly Credential[];
  readonly leases: readonly Lease[];
  /** Accessors of tokens that were replaced and are not proven gone. They act as capabilities: never show them. */
  readonly retiredTokens: readonly string[];
  /** Whether somebody held, or still had to do, its minting at the moment at which all of this was read. */
  readonly beingMinted: boolean;
}

const rowsOf = (columns: Readonly<Record<string, string>>, from: string): string =>
  `(select coalesce(json_agg(json_build_array(${Object.values(columns).join(', ')})), '[]') from ${from})`;
const WHOLE = `select ${ALL},
  ${rowsOf(CREDENTIAL, '(select * from ledger.credential where grant_id = g.id order by position) c')} as credentials,
  ${rowsOf(LEASE, '(select * from ledger.lease where grant_id = g.id order by intended_at, ref) l')} as leases,
  array(select accessor from ledger.retired_token where grant_id = g.id and gone_at is null order by retired_at) as retired,
  mint_at is not null as minting
  from ledger.task_grant g where id = any($1)`;

/** Reads these grants with all that belongs to them, in one statement; one that there is not is left out. */
export async function findWholeGrants(sql: Sql, ids: readonly GrantId[]): Promise<ReadonlyMap<GrantId, WholeGrant>> {
  const rows = await sql.run<{ credentials: unknown[][]; leases: unknown[][]; retired: string[]; minting: boolean }>('grant.whole', WHOLE, [
    ids,
  ]);
  return new Map(
    rows.map((row) => {
      const grant = readGrant(row);
      const [credentials, leases] = [
        row.credentials.map((values) => readCredential(rowOf(CREDENTIAL, values))),
        row.leases.map(readLeaseOf),
      ];
      return [grant.id, { grant, credentials, leases, retiredTokens: row.retired, beingMinted: row.minting }];
    }),
  );
}

/** Moments of a lease: JSON has them as texts. */
const MOMENTS = ['intended_at', 'issued_at', 'expires_at', 'delivered_at', 'requested_at', 'quarantined_at', 'confirmed_at'];

function readLeaseOf(values: readonly unknown[]): Lease {
  const row = rowOf(LEASE, values);
  for (const moment of MOMENTS) if (typeof row[moment] === 'string') row[moment] = new Date(row[moment]);
  return readLease(row);
}

/** So long a transaction that many wait for waits for a row that somebody else holds, in milliseconds; then it fails, and they are tried one by one. */
const LONGEST_LOCK_MILLISECONDS = 1_000;

/** Makes the rest of the transaction wait for locks no longer than that: a process that hangs with one row locked holds up nobody else's. */
export async function waitBriefly(tx: Sql): Promise<void> {
  await tx.run('lock.briefly', `select set_config('lock_timeout', '${LONGEST_LOCK_MILLISECONDS}', true)`);
}

/** Locks these grants in one order until the transaction ends. What is read afterwards is what the lock keeps. */
export async function lockGrants(tx: Sql, ids: readonly GrantId[]): Promise<void> {
  await tx.run('grant.lock_by_ids', 'select from ledger.task_grant where id = any($1) order by id for no key update', [ids]);
}

/** How a claim ends: nothing left (null), or again at `next`. */
export interface Settlement {
  readonly claim: Claimed;
  readonly next: Date | null;
}

/** Ends claims of revocations. One that somebody else took meanwhile, or that more was asked for, is left alone. */
export async function settleRevocations(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  if (settlements.length === 0) return;
  await tx.run(
    'revoke_at.settle_all',
    `update ledger.task_grant old set revoke_at = new.next from unnest($1::text[], $2::int[], $3::timestamptz[]) as new (id, claim, next)
     where old.id = new.id and old.revoke_claim = new.claim`,
    [settlements.map(({ claim }) => claim.grant.id), settlements.map(({ claim }) => claim.claim), settlements.map(({ next }) => next)],
  );
}
