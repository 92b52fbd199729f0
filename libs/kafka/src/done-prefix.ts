/**
 * How far a batch is done without a gap.
 * @module
 */

/** Knows which records of a batch are done. A commit may only ever cover the records before the first one that is not. */
export class DonePrefix {
  readonly #done = new Set<string>();
  #next = 0;

  /** @param offsets the batch's offsets in order; they may have gaps (compaction, transactions) */
  constructor(private readonly offsets: readonly string[]) {}

  /** Notes that a record is done. Returns the last offset before the first gap if that moved. */
  finish(offset: string): string | undefined {
    this.#done.add(offset);
    const before = this.#next;
    while (this.#next < this.offsets.length && this.#done.has(this.offsets[this.#next] as string)) this.#next += 1;
    return this.#next > before ? this.offsets[this.#next - 1] : undefined;
  }

  /** What is done behind the first gap: it will be read again, and need not be handled again. */
  beyond(): string[] {
    return this.offsets.slice(this.#next).filter((offset) => this.#done.has(offset));
  }

  /** True when nothing is left. */
  get complete(): boolean {
    return this.#next === this.offsets.length;
  }
}
