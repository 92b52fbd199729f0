/**
 * A loop that works while there is work, waits for a hint or for its interval, and never gives up.
 * @module
 */
import { errorType, type Logger } from '@mayfly/telemetry';

/** What a worker does and how often. */
export interface WorkerOptions {
  readonly name: string;
  /** Longest pause between two looks, in milliseconds. */
  readonly everyMilliseconds: number;
  /** Does some of the work that is there; returns how much it did. It is called again at once until that is 0. */
  readonly work: () => Promise<number>;
  /** For work that costs the same for one thing as for many: the first hint is followed at once, those after it together. */
  readonly gather?: Gathering;
  readonly logger: Logger;
}

/** How a worker lets things gather. */
export interface Gathering {
  /** Rest after a round that left nothing behind, in milliseconds. */
  readonly milliseconds: number;
  /** As much as one piece of work takes at most: after less than that, nothing was left. */
  readonly batch: number;
}

/** A running loop. */
export interface Worker {
  readonly name: string;
  /** A hint that there may be work now. */
  wake(): void;
  /** False when the loop has not finished a round for a minute beside its interval: something hangs. */
  alive(): boolean;
  /** Since it last finished some work or a round, milliseconds. */
  progressMillisecondsAgo(): number;
  /** Code of the last failure, until a round succeeds again. */
  problem(): string | undefined;
  /** Finishes the round that is under way and ends. */
  stop(): Promise<void>;
}

const LONGEST_BACKOFF_MILLISECONDS = 5_000;
const HUNG_MILLISECONDS = 60_000;
/** Hints shorten the pause after a failure, but never below this: a storm of them must not turn an outage into a busy loop. */
const SHORTEST_BACKOFF_MILLISECONDS = 100;

const backoff = (failures: number): number =>
  Math.min(LONGEST_BACKOFF_MILLISECONDS, SHORTEST_BACKOFF_MILLISECONDS * 2 ** Math.min(failures, 10));

/** Starts the loop at once. */
export function startWorker({ name, everyMilliseconds, work, gather, logger }: WorkerOptions): Worker {
  let stopping = false;
  let hinted = false;
  let endPause: (() => void) | undefined;
  let failures = 0;
  let problem: string | undefined;
  let lastRound = performance.now();

  const pause = (milliseconds: number, endedByHints: boolean): Promise<void> =>
    new Promise((resolve) => {
      if (stopping || (hinted && endedByHints)) return resolve();
      const timer = setTimeout(resolve, milliseconds);
      endPause = () => {
        if (!stopping && !endedByHints) return;
        clearTimeout(timer);
        resolve();
      };
    });

  const round = async (): Promise<void> => {
    hinted = false;
    try {
      while ((await work()) >= (gather?.batch ?? 1) && !stopping) lastRound = performance.now();
      if (problem !== undefined) logger.info('worker works again', { worker: name });
      failures = 0;
      problem = undefined;
    } catch (error) {
      failures += 1;
      const code = errorType(error);
      // Once per kind of trouble, not once per round.
      if (code !== problem) logger.warn('worker failed, it goes on trying', { worker: name, error });
      problem = code;
    }
    lastRound = performance.now();
  };

  const run = async (): Promise<void> => {
    while (!stopping) {
      await round();
      const rest = failures > 0 ? SHORTEST_BACKOFF_MILLISECONDS : (gather?.milliseconds ?? 0);
      if (rest > 0) await pause(rest, false);
      await pause(failures === 0 ? everyMilliseconds : backoff(failures), true);
    }
  };
  const running = run();

  return {
    name,
    wake: () => {
      hinted = true;
      endPause?.();
    },
    alive: () => performance.now() - lastRound < everyMilliseconds + HUNG_MILLISECONDS,
    progressMillisecondsAgo: () => performance.now() - lastRound,
    problem: () => problem,
    stop: async () => {
      stopping = true;
      endPause?.();
      await running;
    },
  };
}
