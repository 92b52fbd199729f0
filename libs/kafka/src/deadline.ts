/**
 * A bound on how long a record may hold its batch. A promise cannot be cancelled: what hangs is left behind, and counted.
 * @module
 */
import { counter, METRICS } from '@mayfly/telemetry';

/** Thrown instead of waiting on for a handler. */
export class HandlerHung extends Error {
  override readonly name = 'HandlerHung';
}

const hung = counter(METRICS.handlersHung);

/** Runs handlers, each for so long at most. */
export class Deadline {
  #left = 0;

  /** @param limit called when so many handlers were left behind and still run: only a new process helps then */
  constructor(
    private readonly milliseconds: number,
    private readonly limit: { readonly count: number; readonly reached: () => void },
  ) {}

  /** @throws HandlerHung when the time is over; what the work throws before that */
  async within(work: () => Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new HandlerHung(`the handler did not end within ${this.milliseconds / 1000} s`)), this.milliseconds);
    });
    const working = work();
    try {
      await Promise.race([working, tooLate]);
    } catch (error) {
      if (error instanceof HandlerHung) this.#leave(working);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #leave(working: Promise<void>): void {
    hung.add(1);
    this.#left += 1;
    void working.catch(() => undefined).finally(() => (this.#left -= 1));
    if (this.#left >= this.limit.count) this.limit.reached();
  }
}
