/**
 * Follows the current policy set: whom a change can touch is decided again, and nobody else.
 *
 *     for each earlier set that live grants rest on: compare it with the current one → decide the affected again, page by page → note that the rest stands
 *
 * What is left to do is in the ledger: whoever dies in between loses nothing, and two replicas do no harm.
 * @module
 */
import { whatChanged, type Affected, type PolicySet } from '@mayfly/policy';
import { affectedGrants, readersOfCurrent, readStoredSet, settleSet, unsettledSets } from '@mayfly/store';
import { countSpared, lookAgainAt, type LookDependencies } from './look-again.js';

const PAGE = 100;
/** Sets that are remembered: live grants rest on a few, and each is read again at every change otherwise. */
const KEPT = 32;

/** One turn of the current set. */
interface Turn {
  readonly version: string;
  /** Transactions that may have decided by the set before it, and were not over when this turn was first seen. */
  readonly early: readonly string[];
  /** Sets that were gone through while some of those were not over: to be gone through once more. */
  readonly again: Set<string>;
  walk?: Walk | undefined;
}

/** Going once through the grants of an earlier set; where it stands is remembered only to find the next page quickly. */
interface Walk {
  readonly from: string;
  readonly affected: Affected;
  after: string;
  /** Nothing more can come to rest on that set: whom this walk does not find is not there. */
  readonly isLast: boolean;
}

/** One follower; see above. */
export class PolicyFollower {
  #turn: Turn | undefined;
  /** Sets that were read, by digest: what a digest names never changes. Those used last stand last. */
  readonly #read = new Map<string, PolicySet>();

  /**
   * @param compare says whom a change can touch; where somebody else decides than Cedar in this process, what he looks at is not known, and
   * everybody is decided again
   */
  constructor(
    private readonly on: LookDependencies,
    private readonly compare: (before: PolicySet, after: PolicySet) => Affected = whatChanged,
  ) {}

  /** Does one page of what is left; returns how many grants it took, or that there is more. */
  async follow(): Promise<number> {
    const { database, policies } = this.on;
    const now = await unsettledSets(database);
    // Before the new set is read: that takes long enough for most of the early ones to end.
    if (now && now.sets.length > 0 && this.#turn?.version !== now.version)
      this.#turn = { version: now.version, early: await readersOfCurrent(database), again: new Set() };
    const { set } = await policies.get(database);
    if (!now || now.digest !== set.digest) return 1;
    if (now.sets.length === 0) {
      this.#turn = undefined;
      this.#remember(set);
      return 0;
    }
    const turn = this.#turn!;
    const from = turn.walk?.from ?? now.sets.find((digest) => !turn.again.has(digest));
    if (from === undefined) {
      turn.again.clear();
      return 0;
    }
    turn.walk ??= await this.#begin(turn, from, set);
    return this.#go(turn, turn.walk);
  }

  async #begin({ early }: Turn, from: string, set: PolicySet): Promise<Walk> {
    const before = this.#read.get(from) ?? (await readStoredSet(this.on.database, from));
    if (before) this.#remember(before);
    // What cannot be compared affects everybody.
    const affected = before ? this.compare(before, set) : 'all';
    const open = early.length > 0 ? await readersOfCurrent(this.on.database) : [];
    return { from, affected, after: '', isLast: !early.some((reader) => open.includes(reader)) };
  }

  #remember(set: PolicySet): void {
    this.#read.delete(set.digest);
    this.#read.set(set.digest, set);
    const [eldest] = this.#read.keys();
    if (this.#read.size > KEPT && eldest !== undefined) this.#read.delete(eldest);
  }

  async #go(turn: Turn, walk: Walk): Promise<number> {
    const page = await affectedGrants(this.on.database, walk.from, walk.affected, walk.after, PAGE);
    // Who has something in hand first: that is what has to die.
    const inTurn = page.toSorted((a, b) => Number(b.holds) - Number(a.holds));
    await lookAgainAt(this.on, inTurn, { cause: 'policy_drift', drift: 'policy_set' });
    const last = page.at(-1);
    if (last) {
      walk.after = last.id;
      return page.length;
    }
    turn.walk = undefined;
    if (walk.isLast) countSpared(await settleSet(this.on.database, walk.from, turn.version));
    else turn.again.add(walk.from);
    return 1;
  }
}
