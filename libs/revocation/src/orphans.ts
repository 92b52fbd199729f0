/**
 * Principals that live at a target although no lease of ours explains them: the secrets engine forgot them when it was killed.
 * @module
 */
import type { Clock } from '@mayfly/domain';

/** So long may a principal be unexplained, in seconds: a mint that is under way writes its name down much sooner. */
export const ORPHAN_AFTER_SECONDS = 60;

/** Remembers since when principals are unexplained. A restart forgets, which only gives them another minute. */
export class OrphanWatch {
  readonly #since = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly afterSeconds: number = ORPHAN_AFTER_SECONDS,
  ) {}

  /** Takes all that are unexplained now; returns those that have been so for too long. */
  overdue(unexplained: readonly string[]): string[] {
    const now = this.clock.now().getTime();
    const current = new Set(unexplained);
    for (const name of this.#since.keys()) if (!current.has(name)) this.#since.delete(name);
    for (const name of current) if (!this.#since.has(name)) this.#since.set(name, now);
    return [...current].filter((name) => now - (this.#since.get(name) ?? now) >= this.afterSeconds * 1000);
  }
}
