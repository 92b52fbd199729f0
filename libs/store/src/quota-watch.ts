/**
 * Whether a quota is used up. What is counted are the tasks and leases themselves, so that no counter can drift from them and no row is
 * there that all starts of a tenant would queue for.
 *
 * INVARIANT: a quota is never exceeded, whatever number of processes admit at the same time: near its bound they take turns (an advisory
 * lock that is held until the transaction ends) and count anew. Far from it nobody waits: a count does for a while (quota-room.ts).
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { Quota, QuotaBound, QuotaScope } from '@mayfly/policy';
import type { Sql } from '@mayfly/postgres';
import { FRESH_MS, quotaRoom } from './quota-room.js';

/** Whose task it is. */
export interface QuotaOwner {
  readonly tenant: string;
  readonly source: string;
  readonly agentId: string;
}

/** Bounds that are so small are always counted anew. */
const SMALL = 1_000;

interface Count {
  /** By `performance.now()`, before it was made. */
  readonly at: number;
  readonly counted: number;
  /** Of no use to anybody after so many milliseconds. */
  readonly keptMs: number;
  /** With what this process has added since. */
  value: number;
}
const ageOf = ({ at }: Count): number => performance.now() - at;
const isKept = (count: Count): boolean => ageOf(count) < count.keptMs;

/** What a transaction is about to write and no count can see yet, by the name of the count. */
type Unwritten = Map<string, number>;

const OWNER: Readonly<Record<QuotaScope, string>> = {
  tenant: 'g.tenant = $1 and $2::text is not null and $3::text is not null',
  orchestrator: 'g.tenant = $1 and g.source = $2 and $3::text is not null',
  agent: 'g.tenant = $1 and $2::text is not null and g.agent_id = $3',
};
/** What is counted, never further than the bound itself. */
const COUNTED: Readonly<Record<Quota, string>> = {
  liveTasks: `ledger.task_grant g where g.state in ('granted', 'closing') and $4::timestamptz is not null`,
  startsPerMinute: `ledger.task_grant g where g.opened_at > $4 and g.request is not null and g.state <> 'denied'`,
  // From the leases to their grants, never the other way round.
  mintsPerMinute: `(select grant_id from ledger.lease where intended_at > $4 offset 0) l,
    lateral (select * from ledger.task_grant where id = l.grant_id offset 0) g where true`,
};

/** Watches the quotas for one process. */
export class QuotaWatch {
  readonly #counts = new Map<string, Count>();
  readonly #unwritten = new WeakMap<Sql, Unwritten>();

  constructor(private readonly clock: Clock) {}

  /**
   * The first bound that would be exceeded; undefined when all of it fits, which then counts as taken. Call it in the transaction that
   * admits, in which the locks are held.
   * @param adding how much of each would be added; quotas that are not named are not looked at
   */
  async exceeded(
    tx: Sql,
    owner: QuotaOwner,
    bounds: readonly QuotaBound[],
    adding: Readonly<Partial<Record<Quota, number>>>,
  ): Promise<QuotaBound | undefined> {
    const taken: Count[] = [];
    for (const bound of bounds) {
      const more = adding[bound.quota] ?? 0;
      if (more === 0) continue;
      const count = await this.#count(tx, owner, bound, more);
      if (count.value + more > bound.limit) return bound;
      taken.push(count);
      count.value += more;
    }
    return undefined;
  }

  /** Says what a transaction will write only after it has asked about others: their counts have to see it. */
  willWrite(tx: Sql, owner: QuotaOwner, bounds: readonly QuotaBound[], adding: Readonly<Partial<Record<Quota, number>>>): void {
    const unwritten = this.#unwritten.get(tx) ?? new Map<string, number>();
    this.#unwritten.set(tx, unwritten);
    for (const bound of bounds) {
      const name = nameOfCount(owner, bound);
      unwritten.set(name, (unwritten.get(name) ?? 0) + (adding[bound.quota] ?? 0));
    }
  }

  async #count(tx: Sql, owner: QuotaOwner, bound: QuotaBound, more: number): Promise<Count> {
    const name = nameOfCount(owner, bound);
    const known = this.#counts.get(name);
    if (known && bound.limit > SMALL && isSure(known, bound.limit, more)) return known;
    await tx.run('quota.lock', 'select pg_advisory_xact_lock(4701005, hashtext($1))', [name]);
    const at = performance.now();
    const [row] = await tx.run<{ count: number }>(
      `quota.${bound.quota}.${bound.scope}`,
      `select count(*)::int as count from (select 1 from ${COUNTED[bound.quota]} and ${OWNER[bound.scope]} limit $5) as counted`,
      [owner.tenant, owner.source, owner.agentId, new Date(this.clock.now().getTime() - 60_000), bound.limit],
    );
    const counted = (row?.count ?? 0) + (this.#unwritten.get(tx)?.get(name) ?? 0);
    const count = { at, counted, keptMs: Math.max(FRESH_MS, quotaRoom(counted, bound.limit).freshMs), value: counted };
    this.#forgetOld();
    this.#counts.set(name, count);
    return count;
  }

  /** Bounded by what is asked about meanwhile. */
  #forgetOld(): void {
    for (const [name, count] of this.#counts) if (!isKept(count)) this.#counts.delete(name);
  }
}

/** Full is said again for a second without looking, so that a storm of refusals costs nothing. */
function isSure(known: Count, limit: number, more: number): boolean {
  const { freshMs, below } = quotaRoom(known.counted, limit);
  return known.value >= limit ? ageOf(known) < FRESH_MS : ageOf(known) < freshMs && known.value + more < below;
}

const OWNER_FIELD = { tenant: 'tenant', orchestrator: 'source', agent: 'agentId' } as const;
const nameOfCount = (owner: QuotaOwner, { scope, quota }: QuotaBound): string =>
  JSON.stringify([scope, quota, owner.tenant, scope === 'tenant' || owner[OWNER_FIELD[scope]]]);
