/**
 * Which policy sets live grants rest on, and of which of them it is known that what is left there stands under the current one.
 *
 * A grant's digest is that of the set by which it was decided last; whom a change cannot touch keeps it. That all those were decided again
 * whom the change can touch is noted once for each earlier set, and not in each of its grants.
 * @module
 */
import type { Sql } from '@mayfly/postgres';

/** What is still to be looked at since another set became current. */
export interface Unsettled {
  /** Digest of the current set. */
  readonly digest: string;
  /** Names this turn of it: another one each time somebody writes which set is current, even if it is an earlier set again. */
  readonly version: string;
  /** Other sets on which live grants rest, and of which it is not noted for this turn that those grants stand. */
  readonly sets: readonly string[];
}

/** Sets on which live grants rest. One look into an index for each. */
const USED = `with recursive used as (
  (select g.policy_digest as digest from ledger.task_grant g where g.state = 'granted' order by g.policy_digest limit 1)
  union all
  select (select g.policy_digest from ledger.task_grant g where g.state = 'granted' and g.policy_digest > used.digest order by g.policy_digest limit 1)
  from used where used.digest is not null
)`;

/** Every set on which live grants rest. */
export async function setsInUse(sql: Sql): Promise<string[]> {
  const rows = await sql.run<{ digest: string }>('policy.in_use', `${USED} select digest from used where digest is not null`);
  return rows.map(({ digest }) => digest);
}

/** See {@link Unsettled}; undefined before the first set was applied. */
export async function unsettledSets(sql: Sql): Promise<Unsettled | undefined> {
  const [row] = await sql.run<Unsettled>(
    'policy.unsettled',
    `${USED} select c.digest, c.xmin::text as version, array(
       select digest from used where digest <> c.digest
         and not exists (select from policy.settled s where s.version = c.xmin::text and s.digest = used.digest) order by digest
     ) as sets from policy.current c`,
  );
  return row;
}

/**
 * Notes that what still rests on a set stands under the current one, in this turn of it. Only for who has decided all again whom the change
 * can touch, and has found no more of them since the last of {@link readersOfCurrent} was over.
 * @returns how many live grants that are; 0 where it was noted before
 */
export async function settleSet(sql: Sql, digest: string, version: string): Promise<number> {
  const [row] = await sql.run<{ grants: number }>(
    'policy.settle',
    `with swept as (delete from policy.settled where version <> (select xmin::text from policy.current)),
     noted as (insert into policy.settled (version, digest) values ($2, $1) on conflict do nothing returning 1)
     select case when exists (select from noted)
       then (select count(*)::int from ledger.task_grant where state = 'granted' and policy_digest = $1) else 0 end as grants`,
    [digest, version],
  );
  return row?.grants ?? 0;
}

/**
 * Transactions of others that have read which set is current, and are not over: until then PostgreSQL keeps their lock on that table. What they
 * write may rest on the set before, and nobody sees it yet; whoever reads later reads the new one.
 */
export async function readersOfCurrent(sql: Sql): Promise<string[]> {
  const rows = await sql.run<{ reader: string }>(
    'policy.readers',
    `select distinct virtualtransaction as reader from pg_locks
     where relation = 'policy.current'::regclass and database = (select oid from pg_database where datname = current_database())
       and pid <> pg_backend_pid()`,
  );
  return rows.map(({ reader }) => reader);
}
