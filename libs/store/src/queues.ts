/**
 * Work queues inside the ledger: a grant whose `mint_at` or `revoke_at` has come is somebody's work. Taking it moves that moment into
 * the future, so that a worker that dies loses nothing: the work comes due again.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import { plusSeconds } from '@mayfly/domain';
import type { Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';
import { GRANT, LEASE, readGrant, readLease, selectList } from './columns.js';

/** A grant that a worker holds until `heldUntil`. */
export interface Claimed {
  readonly grant: Grant;
  readonly heldUntil: Date;
}

const queue = (column: 'mint_at' | 'revoke_at', channel: string) => ({
  put: async (tx: Sql, id: GrantId, at: Date): Promise<void> => {
    await tx.run(`${column}.put`, `update ledger.task_grant set ${column} = least($2, coalesce(${column}, $2)) where id = $1`, [id, at]);
    await tx.run(`${column}.wake`, `select pg_notify('${channel}', '')`);
  },
  take: async (sql: Sql, now: Date, holdSeconds: number, limit: number): Promise<Claimed[]> => {
    const heldUntil = plusSeconds(now, holdSeconds);
    const rows = await sql.run(
      `${column}.take`,
      `update ledger.task_grant set ${column} = $2 where id in (
         select id from ledger.task_grant where ${column} <= $1 order by ${column} limit $3 for update skip locked
       ) returning ${selectList(GRANT)}`,
      [now, heldUntil, limit],
    );
    return rows.map((row) => ({ grant: readGrant(row), heldUntil }));
  },
  /** Zero rows is normal: somebody asked for more work meanwhile, and that stands. */
  settle: async (tx: Sql, { grant, heldUntil }: Claimed, next: Date | null): Promise<void> => {
    await tx.run(`${column}.settle`, `update ledger.task_grant set ${column} = $3 where id = $1 and ${column} = $2`, [
      grant.id,
      heldUntil,
      next,
    ]);
  },
});

const mints = queue('mint_at', CHANNELS.mint);
const revocations = queue('revoke_at', CHANNELS.revoke);

/** Takes grants to mint for, each for so many seconds. */
export const claimMints = mints.take;
/** Ends a claim: nothing left (null), or again at `next`. */
export const settleMint = mints.settle;
/** Says that a grant has something to revoke. */
export const queueRevocation = revocations.put;
/** Takes grants to revoke for, each for so many seconds. */
export const claimRevocations = revocations.take;
/** Ends a claim: nothing left (null), or again at `next`. */
export const settleRevocation = revocations.settle;

/** Holds a claim for longer; undefined when somebody else holds it by now: whoever asks has to stop. */
export async function renewMint(sql: Sql, { grant, heldUntil }: Claimed, now: Date, holdSeconds: number): Promise<Claimed | undefined> {
  const longer = plusSeconds(now, holdSeconds);
  const rows = await sql.run('mint_at.renew', 'update ledger.task_grant set mint_at = $3 where id = $1 and mint_at = $2 returning 1', [
    grant.id,
    heldUntil,
    longer,
  ]);
  return rows.length > 0 ? { grant, heldUntil: longer } : undefined;
}

/** Holds a grant's minting for so many seconds without asking whether it is due; for the one who has just queued it. */
export async function holdMint(tx: Sql, grant: Grant, now: Date, holdSeconds: number): Promise<Claimed> {
  const heldUntil = plusSeconds(now, holdSeconds);
  await tx.run('mint_at.hold', 'update ledger.task_grant set mint_at = $2 where id = $1', [grant.id, heldUntil]);
  return { grant, heldUntil };
}

/** True while somebody holds, or still has to do, the minting of a grant: a token may come to be at any moment. */
export async function isBeingMinted(sql: Sql, id: GrantId): Promise<boolean> {
  const [row] = await sql.run<{ busy: boolean }>(
    'mint_at.busy',
    'select mint_at is not null as busy from ledger.task_grant where id = $1',
    [id],
  );
  return row?.busy ?? false;
}

/** Live grants whose deadline has passed. */
export async function grantsPastDeadline(sql: Sql, now: Date, limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    'grant.past_deadline',
    `select ${selectList(GRANT)} from ledger.task_grant where state = 'granted' and deadline <= $1 order by deadline limit $2`,
    [now, limit],
  );
  return rows.map(readGrant);
}

/** Live grants that have been silent for longer than their workflow allows. */
export async function grantsWithoutHeartbeat(sql: Sql, now: Date, limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    'grant.lost_heartbeat',
    `select ${selectList(GRANT)} from ledger.task_grant
     where state = 'granted' and heartbeat_timeout_seconds is not null and heartbeat_at <= $1::timestamptz - make_interval(secs => heartbeat_timeout_seconds)
     order by heartbeat_at limit $2`,
    [now, limit],
  );
  return rows.map(readGrant);
}

/** Active leases whose own time is over. */
export async function leasesPastExpiry(sql: Sql, now: Date, limit: number): Promise<Lease[]> {
  const rows = await sql.run(
    'lease.past_expiry',
    `select ${selectList(LEASE)} from ledger.lease where state = 'active' and expires_at <= $1 order by expires_at limit $2`,
    [now, limit],
  );
  return rows.map(readLease);
}

/** Intents of delivery that are so old that whoever had them must be dead. The issuer's are never given up: it takes them up again. */
export async function abandonedIntents(sql: Sql, olderThan: Date, limit: number): Promise<Lease[]> {
  const rows = await sql.run(
    'lease.abandoned',
    `select ${selectList(LEASE)} from ledger.lease where state = 'minting' and minter = 'delivery' and intended_at <= $1 order by intended_at limit $2`,
    [olderThan, limit],
  );
  return rows.map(readLease);
}

/** Some live grants whose decision rests on another policy set than the given one. */
export async function grantsUnderOtherPolicy(sql: Sql, digest: string, limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    'grant.other_policy',
    `select ${selectList(GRANT)} from ledger.task_grant where state = 'granted' and (policy_digest < $1 or policy_digest > $1) order by id limit $2`,
    [digest, limit],
  );
  return rows.map(readGrant);
}
