import type { Clock } from '@mayfly/domain';
import type { Decision, ToolCall } from '@mayfly/policy';
import type { Standing } from '@mayfly/store';

/** How long a decision about a read may be used again, in milliseconds. */
const FRESH_MILLISECONDS = 1_000;
/** Bounds the memory that a flood of different reads takes. */
const MOST = 10_000;

/**
 * Decisions about reads of the last second. What a decision rests on is part of its name, so that none is used across another policy set,
 * risk or behaviour. Only the deciding is saved: every answer is counted and is evidence, with the decision that it rests on.
 */
export class RememberedReads {
  readonly #known = new Map<string, { readonly at: number; readonly decision: Promise<Decision> }>();

  constructor(private readonly clock: Clock) {}

  /** The remembered decision, or a new one. */
  decide({ grant, policy }: Standing, call: ToolCall, decide: () => Promise<Decision>): Promise<Decision> {
    const { tool, verb, resource, host } = call;
    const name = JSON.stringify([
      grant.id,
      policy?.digest,
      policy?.version,
      grant.risk,
      grant.behaviour,
      tool,
      verb,
      resource.type,
      resource.id,
      host,
    ]);
    const now = this.clock.now().getTime();
    const known = this.#known.get(name);
    // A clock that was set back makes nothing younger.
    if (known && now >= known.at && now - known.at < FRESH_MILLISECONDS) return known.decision;
    // Remembered before it is there, so that a list that asks the same again and again decides it once.
    const decision = decide();
    decision.catch(() => this.#known.delete(name));
    this.#known.delete(name);
    this.#known.set(name, { at: now, decision });
    for (const [oldest, { at }] of this.#known) {
      if (this.#known.size <= MOST && now - at < FRESH_MILLISECONDS) break;
      this.#known.delete(oldest);
    }
    return decision;
  }
}
