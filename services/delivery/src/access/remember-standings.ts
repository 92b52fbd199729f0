import type { Policy } from '@mayfly/policy';
import type { Standing } from '@mayfly/store';

/** Bounds the memory that tasks take, with all that they were started with. */
const MOST = 1_000;

/** Tasks as they stood at one moment, by task id, and the policy set that was current then; undefined where there was no task. */
export interface Known {
  readonly standings: ReadonlyMap<string, Standing>;
  readonly policy: Policy | undefined;
}

/**
 * How live tasks stood when they were looked at last. INVARIANT: nothing is answered by this alone. Whoever settles what was decided by it
 * compares it with how they stand then, in the very statement that counts; only the looking before is saved.
 */
export class RememberedStandings {
  readonly #standings = new Map<string, Standing>();
  #policy: Policy | undefined;

  /** All of these, where each is known and the agent's own: who asks about others' tasks must not be answered sooner than about unknown ones. */
  of(agent: string, taskIds: readonly string[]): Known | undefined {
    const standings = new Map<string, Standing>();
    for (const taskId of taskIds) {
      const standing = this.#standings.get(taskId);
      if (standing?.grant.agentId !== agent) return undefined;
      standings.set(taskId, standing);
    }
    return { standings, policy: this.#policy };
  }

  /** Notes how they stand now. What was seen under another policy set is forgotten. */
  note({ standings, policy }: Known): void {
    if (policy !== this.#policy) this.#standings.clear();
    this.#policy = policy;
    for (const [taskId, standing] of standings) {
      this.#standings.delete(taskId);
      if (standing.grant.state !== 'granted') continue;
      const [oldest] = this.#standings.keys();
      if (this.#standings.size >= MOST && oldest !== undefined) this.#standings.delete(oldest);
      this.#standings.set(taskId, standing);
    }
  }
}
