/**
 * Follows the current policy set: whom a change can touch is decided again, and nobody else.
 *
 *     compare the two sets → decide the affected again, page by page → move the rest to the new set, many at a time
 *
 * What is left to do is in the ledger, grant by grant: whoever dies in between loses nothing, and two replicas do no harm.
 * @module
 */
import { digestOf } from '@mayfly/domain';
import { readPolicySet, whatChanged, type Affected, type PolicySet } from '@mayfly/policy';
import { affectedGrants, findPolicySet, ID_RANGES, moveUnaffected, olderPolicyInUse, type IdRange } from '@mayfly/store';
import { countSpared, lookAgainAt, type LookDependencies } from './look-again.js';

const PAGE = 100;
const MOVED_AT_ONCE = 2_000;

/** Going from one set to another; where it stands is remembered only to find the next page quickly. */
interface Pass {
  readonly from: string;
  readonly to: string;
  readonly affected: Affected;
  /** Where the affected are looked for next; undefined when all were found. */
  readonly after: string | undefined;
  /** Parts of the others that are still to be moved, side by side. */
  readonly rest: readonly IdRange[];
}

/** One follower; see above. */
export class PolicyFollower {
  #pass: Pass | undefined;
  /** The set that was current when this process looked last. */
  #last: PolicySet | undefined;

  /**
   * @param compare says whom a change can touch; where somebody else decides than Cedar in this process, what he looks at is not known, and
   * everybody is decided again
   */
  constructor(
    private readonly on: LookDependencies,
    private readonly compare: (before: PolicySet, after: PolicySet) => Affected = whatChanged,
  ) {}

  /** Does one page of what is left; returns how many grants it took. */
  async follow(): Promise<number> {
    const { set } = await this.on.policies.get(this.on.database);
    if (this.#pass?.to !== set.digest) this.#pass = await this.#begin(set);
    return (await this.#lookAgain()) || this.#moveOn(set);
  }

  async #begin(set: PolicySet): Promise<Pass | undefined> {
    const from = await olderPolicyInUse(this.on.database, set.digest);
    if (from === undefined) {
      this.#last = set;
      return undefined;
    }
    const before = await this.#setOf(from);
    // What cannot be compared affects everybody.
    const affected = before ? this.compare(before, set) : 'all';
    return { from, to: set.digest, affected, after: '', rest: ID_RANGES };
  }

  async #lookAgain(): Promise<number> {
    const pass = this.#pass;
    if (pass?.after === undefined) return 0;
    const page = await affectedGrants(this.on.database, pass.from, pass.affected, pass.after, PAGE);
    await lookAgainAt(this.on, page, { cause: 'policy_drift', drift: 'policy_set' });
    const last = page.at(-1);
    this.#pass = { ...pass, after: last?.id };
    return page.length;
  }

  async #moveOn(set: PolicySet): Promise<number> {
    const pass = this.#pass;
    if (!pass) return 0;
    const pages = await Promise.all(
      pass.rest.map(async (range) => ({
        range,
        ...(await moveUnaffected(this.on.database, pass.from, pass.to, pass.affected, range, MOVED_AT_ONCE)),
      })),
    );
    const moved = pages.reduce((sum, page) => sum + page.moved, 0);
    if (moved > 0) {
      countSpared(moved);
      this.#pass = { ...pass, rest: pages.flatMap(({ range, last }) => (last ? [{ ...range, after: last }] : [])) };
      return moved;
    }
    this.#pass = await this.#begin(set);
    // The same set again: starts that it admitted meanwhile, and what somebody held. They are looked for next time.
    if (this.#pass?.from !== pass.from) return this.#pass ? 1 : 0;
    this.#pass = undefined;
    return 0;
  }

  async #setOf(digest: string): Promise<PolicySet | undefined> {
    if (this.#last?.digest === digest) return this.#last;
    const stored = await findPolicySet(this.on.database, digest);
    try {
      return stored && digestOf(stored.files) === digest ? readPolicySet(stored.files) : undefined;
    } catch {
      return undefined;
    }
  }
}
