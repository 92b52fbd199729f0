/**
 * What a policy set would change, looked up without changing anything.
 * @module
 */
import { MayflyError, plusSeconds, type Clock } from '@mayfly/domain';
import { LIVE_LEASE_STATES } from '@mayfly/grant';
import {
  denyDrifted,
  flipOf,
  forecastGrant,
  PlanSum,
  type About,
  type Change,
  type Comparison,
  type LiveGrant,
  type PlanTable,
  type Policy,
} from '@mayfly/policy';
import {
  countGrants,
  credentialsOf,
  currentPolicyDigest,
  driftedCapabilities,
  findGrant,
  foretellDrifted,
  listGrants,
  PolicyUnavailable,
  revokedByDrift,
  type CurrentPolicy,
  type Database,
  type GrantFilter,
  type GrantTree,
  type Sql,
} from '@mayfly/store';
import { histogram, METRICS } from '@mayfly/telemetry';
import { affectedBy } from './affected-by.js';

/** What planning works with. */
export interface PlanDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly policies: CurrentPolicy<Policy>;
}

/** What is to be planned. */
export interface PlanRequest {
  readonly policy: Policy;
  /** Recorded decisions of so many days are decided again. */
  readonly days: number;
  /** The caller has gone: nobody reads the answer any more. */
  readonly gone: AbortSignal;
  /** Told now and then, and of each permit that would be lost or gained. */
  readonly tell: (news: PlanNews) => Promise<void> | void;
}

/** What is said while a plan is made. */
export type PlanNews =
  | { readonly progress: { readonly phase: 'live' | 'history'; readonly done: number; readonly total: number } }
  | { readonly lost: PlannedChange }
  | { readonly gained: PlannedChange };

/** One permit of one task. */
export interface PlannedChange extends About {
  readonly taskId: string;
  readonly credential: string;
  readonly reasons: readonly string[];
  readonly policies: readonly string[];
  /** Leases that would end. */
  readonly leaseRefs: readonly string[];
}

/** A finished plan. */
export interface Plan {
  /** The planned set. */
  readonly policyDigest: string;
  /** The set in force; null where there is none. */
  readonly current: string | null;
  /** False when that set cannot be used: everything is denied. */
  readonly usable: boolean;
  readonly at: Date;
  readonly days: number;
  readonly live: { readonly grants: number; readonly leases: number };
  readonly lost: PlanTable;
  readonly gained: PlanTable;
  readonly flipped: PlanTable;
}

const PAGE = 100;
const MOST_AT_ONCE = 2;
const duration = histogram(METRICS.planDuration);

/** As many plans as may run at once are running. HTTP 503 with Retry-After. */
export class PlanningBusy extends MayflyError {
  constructor() {
    super('planning-busy', 'other plans are being made; try again shortly', 503, true, { retryAfterSeconds: 5 });
  }
}

/** Makes plans, a few at a time: each one decides as often as there are live permits and recorded decisions. */
export class Planning {
  #running = 0;

  constructor(private readonly on: PlanDependencies) {}

  /** Makes one, in one look at the ledger that can only read. @throws PlanningBusy */
  async plan(request: PlanRequest): Promise<Plan> {
    if (this.#running >= MOST_AT_ONCE) throw new PlanningBusy();
    this.#running += 1;
    const startedAt = performance.now();
    try {
      return await this.on.database.transaction('plan policy set', async (tx) => {
        await tx.run('', 'set transaction isolation level repeatable read, read only');
        return await this.#look(tx, request);
      });
    } finally {
      this.#running -= 1;
      duration.since(startedAt, {});
    }
  }

  async #look(tx: Sql, request: PlanRequest): Promise<Plan> {
    const { policy, days } = request;
    const at = this.on.clock.now();
    const current = await this.#current(tx);
    const comparison = await compare(tx, current, policy);
    const [lost, gained, flipped] = [
      new PlanSum(['leases', 'permits', 'grants']),
      new PlanSum(['permits', 'grants']),
      new PlanSum(['toDeny', 'toPermit', 'decisions']),
    ];

    const live = { grants: 0, leases: 0 };
    const parents = new Parents(tx);
    await eachGrant(tx, { state: 'granted' }, 'live', request, async (tree) => {
      live.grants += 1;
      const leases = tree.leases.filter(isLive);
      live.leases += leases.length;
      const changes = await forecastGrant(comparison, await parents.above(tree), leases, at);
      for (const change of changes) {
        if (change.permit === 'gained') await request.tell({ gained: count(gained, tree, change, 'gained') });
        if (change.permit === 'lost' || change.ends.length > 0) await request.tell({ lost: count(lost, tree, change, 'lost') });
      }
      if (changes.some(({ permit }) => permit === 'gained')) gained.addToTotal('grants');
      if (changes.some(({ permit, ends }) => permit === 'lost' || ends.length > 0)) lost.addToTotal('grants');
    });

    const since = plusSeconds(at, -days * 86_400);
    await eachGrant(tx, { openedSince: since }, 'history', request, async ({ grant, credentials }) => {
      for (const credential of credentials) {
        flipped.addToTotal('decisions');
        const flip = await flipOf(policy.decider, grant, credential);
        if (flip) flipped.add(aboutOf(grant, credential.capability), flip, { [flip.decision === 'permit' ? 'toPermit' : 'toDeny']: 1 });
      }
    });
    return {
      policyDigest: policy.set.digest,
      current: (await currentPolicyDigest(tx)) ?? null,
      usable: current !== undefined,
      at,
      days,
      live,
      lost: lost.table(),
      gained: gained.table(),
      flipped: flipped.table(),
    };
  }

  /** A set that cannot be used denies all: planning the one that mends it must be possible. */
  #current(tx: Sql): Promise<Policy | undefined> {
    return this.on.policies.get(tx).catch((error: unknown) => {
      if (error instanceof PolicyUnavailable) return undefined;
      throw error;
    });
  }
}

/** Both sets as drift heeds them, with Vault as it is: a set may declare something else than what is there. */
async function compare(tx: Sql, current: Policy | undefined, { set, decider }: Policy): Promise<Comparison> {
  const before = current ? await driftedCapabilities(tx, current.set) : new Set<string>();
  const after = await foretellDrifted(tx, set);
  return {
    before: current && { ...current, decider: denyDrifted(current.decider, revokedByDrift(current.set, before)) },
    after: { set, decider: denyDrifted(decider, revokedByDrift(set, after)) },
    drifted: { before, after },
    affects: await affectedBy(tx, current?.set, set),
  };
}

const isLive = ({ state }: GrantTree['leases'][number]): boolean => (LIVE_LEASE_STATES as readonly string[]).includes(state);

/** Adds a change to its table, and says it in full. */
function count(sum: PlanSum, { grant }: GrantTree, change: Change, as: 'lost' | 'gained'): PlannedChange {
  const { credential, permit, reasons, policies } = change;
  const about = aboutOf(grant, credential.capability);
  const ends = as === 'lost' ? change.ends : [];
  sum.add(about, { reasons, policies }, { permits: permit === as ? 1 : 0, ...(as === 'lost' && { leases: ends.length }) });
  return { taskId: grant.taskId, ...about, credential: credential.name, reasons, policies, leaseRefs: ends.map(({ ref }) => ref) };
}

function aboutOf({ agentId, request }: GrantTree['grant'], capability: string): About {
  const initiator = request?.initiator?.id;
  return { agent: agentId ?? '', ...(initiator !== undefined && { initiator }), capability };
}

/** Goes through grants page by page, the newest first; nothing of a page is kept. */
async function eachGrant(
  tx: Sql,
  filter: Omit<GrantFilter, 'limit' | 'after'>,
  phase: 'live' | 'history',
  { tell, gone }: PlanRequest,
  look: (tree: GrantTree) => Promise<void>,
): Promise<void> {
  const total = await countGrants(tx, filter);
  let done = 0;
  for (let after: GrantFilter['after']; ;) {
    gone.throwIfAborted();
    const page = await listGrants(tx, { ...filter, limit: PAGE, after });
    for (const tree of page) await look(tree);
    done += page.length;
    await tell({ progress: { phase, done, total } });
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = { openedAt: last.grant.openedAt, id: last.grant.id };
  }
}

/** The tasks above a task. Siblings come near each other, so that few have to be remembered. */
class Parents {
  static readonly #MOST = 1_000;
  readonly #known = new Map<string, LiveGrant>();

  constructor(private readonly tx: Sql) {}

  async above({ grant, credentials }: Pick<GrantTree, 'grant' | 'credentials'>): Promise<LiveGrant> {
    const id = grant.parentGrantId;
    if (!id) return { grant, credentials };
    let parent = this.#known.get(id);
    if (!parent) {
      const found = await findGrant(this.tx, id);
      if (!found) return { grant, credentials };
      parent = await this.above({ grant: found, credentials: await credentialsOf(this.tx, id) });
      if (this.#known.size >= Parents.#MOST) this.#known.clear();
      this.#known.set(id, parent);
    }
    return { grant, credentials, parent };
  }
}
