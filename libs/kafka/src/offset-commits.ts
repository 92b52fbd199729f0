/**
 * Commits what is done about once a second. After each batch it would be a request for each record where they come one by one, and the
 * next fetch would wait for its answer.
 *
 * What is committed lags behind what is done, and never leads: behind a crash up to a second's records are read again, as those of the
 * batch that was under way are, and each is known by then.
 * @module
 */
import type { EachBatchPayload } from 'kafkajs';

const COMMIT_MILLISECONDS = 1_000;

/** Of all partitions of one consumer. */
export class OffsetCommits {
  #commit: (() => Promise<void>) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Something more is done, and resolved: it is committed within a second. */
  note({ commitOffsetsIfNecessary, uncommittedOffsets }: Pick<EachBatchPayload, 'commitOffsetsIfNecessary' | 'uncommittedOffsets'>): void {
    this.#commit = async () => commitOffsetsIfNecessary(uncommittedOffsets());
    this.#timer ??= setTimeout(() => void this.now(), COMMIT_MILLISECONDS);
  }

  /** Commits at once what is not committed. One that fails is made good by the next, or what it was about is read again. */
  async now(): Promise<void> {
    const commit = this.#commit;
    this.forget();
    await commit?.().catch(() => undefined);
  }

  /** The assignment is another: what was resolved before counts no more. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#commit = this.#timer = undefined;
  }
}
