/**
 * What lives although nothing of ours explains it: a secrets engine that is killed while it mints forgets what it made.
 * @module
 */

/** So long may something be unexplained, in seconds: a mint that is under way writes its name down much sooner. */
export const ORPHAN_AFTER_SECONDS = 60;

/** Remembers since when things are unexplained. A restart forgets, which only gives them another minute. */
export class OrphanWatch {
  readonly #since = new Map<string, Date>();
  #lastLook: Date | undefined;

  constructor(private readonly afterSeconds: number = ORPHAN_AFTER_SECONDS) {}

  /**
   * Takes all that are unexplained; returns those that have been so for too long.
   * @param lookedAt when the look began: what came to be later may be missing from it
   */
  overdue(unexplained: readonly string[], lookedAt: Date): string[] {
    const current = new Set(unexplained);
    for (const name of this.#since.keys()) if (!current.has(name)) this.#since.delete(name);
    for (const name of current) if (!this.#since.has(name)) this.#since.set(name, lookedAt);
    this.#lastLook = lookedAt;
    return [...current].filter((name) => lookedAt.getTime() - (this.#since.get(name) ?? lookedAt).getTime() >= this.afterSeconds * 1000);
  }

  /** True when something is unexplained, or nobody has looked yet. */
  get waits(): boolean {
    return this.#lastLook === undefined || this.#since.size > 0;
  }

  /** Takes note that what was there at the last look is there still, and nothing else. Only while nothing waits. */
  same(lookedAt: Date): void {
    if (!this.waits) this.#lastLook = lookedAt;
  }

  /** Everything that came to be before this moment is explained, or gone. Undefined before the first look. */
  settledUntil(): Date | undefined {
    const since = [...this.#since.values()].map((date) => date.getTime());
    return this.#lastLook && new Date(Math.min(this.#lastLook.getTime(), ...since));
  }
}
