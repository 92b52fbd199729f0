/**
 * What tasks have used of their budgets. Counting is exact whatever number of processes count: it is compared and set in one row per task.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import { UNUSED, type Budgets, type Grant, type Usage } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { GRANT, readGrant, selectList } from './columns.js';
import { INTAKE, intakeRows, type StatedFact } from './evidence.js';
import type { PolicyVersion } from './policy-sets.js';

/** Beyond this a sum would not be exact any more; it stays there. */
const MOST = Number.MAX_SAFE_INTEGER;
/** `bigint` as a number. */
const USAGE = (['calls', 'rows', 'bytes', 'refused'] as const satisfies readonly (keyof Usage)[])
  .map((field) => `coalesce(used.${field}, 0)::float8 as ${field}`)
  .join(', ');

/** A task as it is at one moment, with all that a decision about a call rests on. */
export interface Standing {
  readonly grant: Grant;
  /** Another one after every change of the grant, whatever was changed. */
  readonly version: string;
  readonly usage: Usage;
  /** The policy set that is current at the same moment; undefined before the first. */
  readonly policy?: PolicyVersion | undefined;
}

type UsageRow = { readonly [Field in keyof Usage]: number };
/** A row of {@link STANDING}. */
export type StandingRow = UsageRow & {
  readonly grant_version: string;
  readonly policy_current: string | null;
  readonly policy_version: string | null;
};
/** What to select for {@link standingOf}, and from where. */
export const STANDING = {
  columns: `${selectList(GRANT, 'g')}, g.xmin::text as grant_version, ${USAGE}, c.digest as policy_current, coalesce(s.xmin::text, '') as policy_version`,
  from: `ledger.task_grant g left join ledger.task_usage used on used.grant_id = g.id
     left join (policy.current c left join policy.set s using (digest)) on true`,
};

/** How these tasks stand, as far as there are any, by task id: one statement, one moment. */
export async function readStandings(sql: Sql, taskIds: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
  const rows = await sql.run<StandingRow>('usage.standing', `select ${STANDING.columns} from ${STANDING.from} where g.task_id = any($1)`, [
    taskIds,
  ]);
  return new Map(rows.map((row) => [(row as unknown as { task_id: string }).task_id, standingOf(row)]));
}

/** A task as such a row says. */
export function standingOf(row: StandingRow): Standing {
  const { calls, rows, bytes, refused, grant_version: version, policy_current: digest, policy_version } = row;
  const policy = digest === null ? undefined : { digest, version: policy_version ?? '' };
  return { grant: readGrant(row), version, usage: { calls, rows, bytes, refused }, policy };
}

/** True when nothing moved between the two on which a decision rests; what was used meanwhile is counted, not decided. */
export const standsTheSame = (one: Standing, other: Standing | undefined): boolean =>
  one.policy?.digest === other?.policy?.digest && one.policy?.version === other?.policy?.version && one.version === other?.version;

/** What its callers say that a task has used beside its calls. */
export type UsageReport = Pick<Usage, 'rows' | 'bytes'>;

/** Adds what a caller reports. Nothing is ever taken away. */
export async function reportUsage(sql: Sql, grantId: GrantId, { rows, bytes }: UsageReport): Promise<void> {
  await sql.run(
    'usage.report',
    `insert into ledger.task_usage as used (grant_id, rows, bytes) values ($1, $2, $3)
     on conflict (grant_id) do update set rows = least(used.rows + excluded.rows, ${MOST}), bytes = least(used.bytes + excluded.bytes, ${MOST})`,
    [grantId, rows, bytes],
  );
}

/** Permitted calls of one task, with their evidence. */
export interface Permitted {
  /** What the permits rest on. */
  readonly standing: Standing;
  readonly calls: number;
  readonly budgets: Budgets | undefined;
  readonly facts: readonly StatedFact[];
}

/**
 * Counts permitted calls of different tasks and states their evidence: of each task all or nothing, and only if it still stands as it
 * stood and its budgets have room. One statement for all of them: this is what permitted calls cost. Nobody is woken: the evidence service
 * looks every second, and a notification for each call would make all commits queue for one lock.
 * @returns the grants whose calls were counted
 */
export async function countPermitted(sql: Sql, permitted: readonly Permitted[]): Promise<ReadonlySet<GrantId>> {
  const asked = permitted.map(({ standing: { grant, version, policy }, calls, budgets }) => ({
    id: grant.id,
    task: grant.taskId,
    calls,
    version,
    digest: policy?.digest,
    policy_version: policy?.version,
    most_calls: budgets?.calls,
    most_rows: budgets?.rows,
    most_bytes: budgets?.bytes,
  }));
  const counted = await sql.run<{ id: GrantId }>(
    'usage.count',
    `with asked as (
       select * from jsonb_to_recordset($1::jsonb) as each
         (id text, task text, calls bigint, version text, digest text, policy_version text,
          most_calls bigint, most_rows bigint, most_bytes bigint)
     ), counted as (
       insert into ledger.task_usage as used (grant_id, calls)
       select asked.id, asked.calls from asked join ledger.task_grant g using (id) join policy.current using (digest) join policy.set s using (digest)
       where g.state = 'granted' and g.xmin::text = asked.version and s.xmin::text = asked.policy_version and (asked.most_calls is null or asked.calls <= asked.most_calls) order by asked.id
       on conflict (grant_id) do update set calls = used.calls + excluded.calls
       where (select (most_calls is null or used.calls + excluded.calls <= most_calls) and (most_rows is null or used.rows < most_rows)
                and (most_bytes is null or used.bytes < most_bytes) from asked where asked.id = excluded.grant_id)
       returning used.grant_id as id
     ), ${INTAKE('$2', "counted join asked using (id) where task = each -> 'fact' ->> 'taskId'")} select id from counted`,
    [JSON.stringify(asked), intakeRows(permitted.flatMap(({ facts }) => facts))],
  );
  return new Set(counted.map(({ id }) => id));
}

/** What these tasks have used, locked in one order until the transaction ends. Lock it before the grants, never after. */
export async function lockUsage(tx: Sql, grantIds: readonly GrantId[]): Promise<ReadonlyMap<GrantId, Usage>> {
  const ids = [...new Set(grantIds)].sort();
  if (ids.length === 0) return new Map();
  await tx.run('usage.open', 'insert into ledger.task_usage (grant_id) select unnest($1::text[]) on conflict (grant_id) do nothing', [ids]);
  const rows = await tx.run<UsageRow & { id: GrantId }>(
    'usage.lock',
    `select grant_id as id, ${USAGE} from ledger.task_usage used where grant_id = any($1) order by grant_id for update`,
    [ids],
  );
  return new Map(ids.map((id) => [id, rows.find((row) => row.id === id) ?? UNUSED]));
}

/** Writes what was counted under {@link lockUsage}. */
export async function saveUsage(tx: Sql, grantId: GrantId, { calls, refused }: Pick<Usage, 'calls' | 'refused'>): Promise<void> {
  await tx.run('usage.save', 'update ledger.task_usage set calls = $2, refused = $3 where grant_id = $1', [grantId, calls, refused]);
}
