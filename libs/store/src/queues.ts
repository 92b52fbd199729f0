/**
 * Work queues inside the ledger: a grant whose `mint_at` or `revoke_at` has come is somebody's work. Taking it moves that moment into
 * the future, so that a worker that dies loses nothing: the work comes due again. Each taking has a number, and so has each asking for
 * more work: only who has the newest may settle it.
 * @module
 */
import { plusSeconds, type Cause, type GrantId } from '@mayfly/domain';
import type { Grant, Lease } from '@mayfly/grant';
import type { Row, Sql } from '@mayfly/postgres';
import { laneOf } from '@mayfly/revocation';
import { CHANNELS } from './channels.js';
import { GRANT, LEASE, readGrant, readLease, selectList } from './columns.js';

/** A grant that a worker holds for a while. */
export interface Claimed {
  readonly grant: Grant;
  /** The number of this claim; another one's is higher. */
  readonly claim: number;
  /** Until when nobody else takes it, as the taker's clock says; absent where that is not known. */
  readonly until?: Date;
}

type Queue = 'mint' | 'revoke';

/** Takes what is due, the oldest first. */
const takeOldest =
  (work: Queue) =>
  async (sql: Sql, now: Date, holdSeconds: number, limit: number): Promise<Claimed[]> => {
    const until = plusSeconds(now, holdSeconds);
    const rows = await sql.run<Row & { claim: number }>(
      `${work}_at.take_oldest`,
      `update ledger.task_grant set ${work}_at = $2, ${work}_claim = ${work}_claim + 1 where id = any(array(
         select id from ledger.task_grant where ${work}_at <= $1 order by ${work}_at limit $3 for update skip locked
       )) returning ${selectList(GRANT)}, ${work}_claim as claim`,
      [now, until, limit],
    );
    return rows.map((row) => ({ grant: readGrant(row), claim: row.claim, until }));
  };

/**
 * Takes what is due by turns between the tenants: the first of each, then the second of each. Walks an index from line to line and takes
 * no more than `limit` from each, so that the cost does not grow with what is queued.
 * @param lines columns that make a line, the tenant last
 */
const takeByTurns =
  (work: Queue, ...lines: readonly string[]) =>
  async (sql: Sql, now: Date, holdSeconds: number, limit: number): Promise<Claimed[]> => {
    const until = plusSeconds(now, holdSeconds);
    const line = lines.join(', ');
    const here = lines.map((each) => `line.${each}`).join(', ');
    const first = `select ${line} from ledger.task_grant where ${work}_at is not null`;
    const rows = await sql.run<Row & { claim: number }>(
      `${work}_at.take_by_turns`,
      `with recursive line as (
         (${first} order by ${line} limit 1)
         union all
         select next.* from line, lateral (${first} and (${line}) > (${here}) order by ${line} limit 1) next
       ), due as (
         select line.*, waiting.* from line, lateral (
           select id, row_number() over (order by ${work}_at) as turn from (
             select id, ${work}_at from ledger.task_grant where ${work}_at <= $1 and (${line}) = (${here}) order by ${work}_at limit $3 for update skip locked
           ) taken
         ) waiting
       )
       update ledger.task_grant set ${work}_at = $2, ${work}_claim = ${work}_claim + 1 where id = any(array(
         select id from due order by ${[...lines.slice(0, -1), 'turn', 'random()'].join(', ')} limit $3
       )) returning ${selectList(GRANT)}, ${work}_claim as claim`,
      [now, until, limit],
    );
    return rows.map((row) => ({ grant: readGrant(row), claim: row.claim, until }));
  };

/** Zero rows is normal: somebody asked for more work, or took it, meanwhile, and that stands. */
const settle =
  (work: Queue) =>
  async (tx: Sql, { grant, claim }: Claimed, next: Date | null): Promise<void> => {
    await tx.run(`${work}_at.settle`, `update ledger.task_grant set ${work}_at = $3 where id = $1 and ${work}_claim = $2`, [
      grant.id,
      claim,
      next,
    ]);
  };

/** Takes grants to mint for, each for so many seconds, by turns between the tenants. */
export const claimMints = takeByTurns('mint', 'tenant');
/** Ends a claim: nothing left (null), or again at `next`. */
export const settleMint = settle('mint');
/** Takes grants to revoke for, each for so many seconds: lane by lane, and by turns between the tenants inside a lane. */
export const claimRevocations = takeByTurns('revoke', 'revoke_lane', 'tenant');
/** Takes those that have waited longest, whatever their lane and tenant. */
export const claimOldestRevocations = takeOldest('revoke');
/** Ends a claim: nothing left (null), or again at `next`. */
export const settleRevocation = settle('revoke');

/** Tells the revoker that there is something to revoke. @param changed tasks that are announced with it, as `announceTasks` does */
export async function wakeRevoker(tx: Sql, changed: readonly string[] = []): Promise<void> {
  await tx.run(
    'revoke_at.wake',
    `select pg_notify('${CHANNELS.revoke}', ''), (select count(pg_notify('${CHANNELS.task}', task)) from unnest($1::text[]) as task)`,
    [changed],
  );
}

/**
 * Says that grants have something to revoke.
 * @param cause decides the lane; what was asked for before in an earlier lane stays there
 */
export async function queueRevocations(tx: Sql, ids: readonly GrantId[], at: Date, cause: Cause): Promise<void> {
  if (ids.length === 0) return;
  await tx.run(
    'revoke_at.put',
    `update ledger.task_grant set revoke_at = least($2, coalesce(revoke_at, $2)), revoke_claim = revoke_claim + 1,
       revoke_lane = case when revoke_at is null then $3 else least(revoke_lane, $3) end where id = any($1)`,
    [ids, at, laneOf(cause)],
  );
  await wakeRevoker(tx);
}

/** Looks again at a grant that the revoker waits for; it keeps its lane. */
export async function hurryRevocation(tx: Sql, id: GrantId, at: Date): Promise<void> {
  await tx.run(
    'revoke_at.hurry',
    'update ledger.task_grant set revoke_at = least($2, coalesce(revoke_at, $2)), revoke_claim = revoke_claim + 1 where id = $1',
    [id, at],
  );
  await wakeRevoker(tx);
}

/** Gives up a hold on a grant's minting, so that it is due at once. */
export async function releaseMint(sql: Sql, claim: Claimed, now: Date): Promise<void> {
  await settleMint(sql, claim, now);
  await sql.run('mint_at.wake', `select pg_notify('${CHANNELS.mint}', '')`);
}

/** Holds claims for longer; returns those held. Of the others somebody else has the claim by now: whoever asks has to stop. */
export async function renewMints(sql: Sql, claims: readonly Claimed[], now: Date, holdSeconds: number): Promise<ReadonlySet<Claimed>> {
  const rows = await sql.run<{ id: GrantId }>(
    'mint_at.renew',
    `${OWN_CLAIMS('mint')} update ledger.task_grant g set mint_at = $3 from own where g.id = own.id returning g.id`,
    [...claimRows(claims), plusSeconds(now, holdSeconds)],
  );
  const held = new Set(rows.map(({ id }) => id));
  return new Set(claims.filter(({ grant }) => held.has(grant.id)));
}

/** Ends many claims: nothing is left of them. */
export async function settleMints(tx: Sql, claims: readonly Claimed[]): Promise<void> {
  await tx.run(
    'mint_at.settle_all',
    `${OWN_CLAIMS('mint')} update ledger.task_grant g set mint_at = null from own where g.id = own.id`,
    claimRows(claims),
  );
}

/**
 * Those of the claims in the first two parameters that are still the newest of their grants; locked in one order, so that two with the same
 * wait. By a list of ids, so that whatever is known of the table's size the grants are looked up one by one.
 */
const OWN_CLAIMS = (work: Queue): string => `with own as (
  select g.id from ledger.task_grant g where g.id = any($1::text[]) and g.${work}_claim = ($2::int[])[array_position($1::text[], g.id)]
  order by g.id for no key update of g)`;
const claimRows = (claims: readonly Claimed[]): [string[], number[]] => [
  claims.map(({ grant }) => grant.id),
  claims.map(({ claim }) => claim),
];

/** Live grants whose deadline has passed. */
export async function grantsPastDeadline(sql: Sql, now: Date, limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    'grant.past_deadline',
    `select ${selectList(GRANT)} from ledger.task_grant where state = 'granted' and deadline <= $1 order by deadline limit $2`,
    [now, limit],
  );
  return rows.map(readGrant);
}

const EXPECTED = `ledger.task_grant where state = 'granted' and heartbeat_timeout_seconds is not null`;

/**
 * Live grants that have been silent for longer than their workflow allows. Goes from allowance to allowance, of which there are few, and in
 * each to those that were silent longest: the cost does not grow with how many are expected to be heard of.
 */
export async function grantsWithoutHeartbeat(sql: Sql, now: Date, limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    'grant.lost_heartbeat',
    `with recursive allowed as (
       (select heartbeat_timeout_seconds as seconds from ${EXPECTED} order by 1 limit 1)
       union all
       select next.seconds from allowed, lateral (
         select heartbeat_timeout_seconds as seconds from ${EXPECTED} and heartbeat_timeout_seconds > allowed.seconds order by 1 limit 1
       ) next
     )
     select silent.* from allowed, lateral (
       select ${selectList(GRANT)} from ${EXPECTED} and heartbeat_timeout_seconds = allowed.seconds
         and heartbeat_at <= $1::timestamptz - make_interval(secs => allowed.seconds) order by heartbeat_at limit $2
     ) silent order by silent.heartbeat_at limit $2`,
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

/** Some live grants that have not lost one of these capabilities. */
export async function grantsHolding(sql: Sql, capabilities: readonly string[], limit: number): Promise<Grant[]> {
  const rows = await sql.run(
    '',
    `select ${selectList(GRANT, 'g')} from ledger.task_grant g where g.state = 'granted' and exists (
       select from ledger.credential c where c.grant_id = g.id and c.permitted and c.capability = any($1) and c.capability <> all(g.lost_capabilities)
     ) limit $2`,
    [[...capabilities], limit],
  );
  return rows.map(readGrant);
}
