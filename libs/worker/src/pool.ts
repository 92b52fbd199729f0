/**
 * So many jobs side by side, each place filled again as soon as it is free: a slow job holds up itself and nobody else.
 * @module
 */
import { errorType, type Logger } from '@mayfly/telemetry';
import { startWorker, type Worker } from './worker.js';

/** What a pool works on. */
export interface PoolOptions<Job> {
  readonly name: string;
  /** Most jobs side by side. */
  readonly size: number;
  /** Longest pause between two looks for work, in milliseconds. */
  readonly everyMilliseconds: number;
  /** Takes at most so many jobs from where they are durable; fewer when no more are due. */
  readonly claim: (limit: number) => Promise<readonly Job[]>;
  /** Does one. When it throws, the job comes due again by itself. */
  readonly work: (job: Job) => Promise<void>;
  /** How many jobs what they need has room for now; nothing is claimed beyond it. */
  readonly room?: () => number;
  readonly logger: Logger;
}

/** A running pool. */
export interface Pool<Job> extends Worker {
  /** Takes a job that the caller has claimed already, if a place is free. */
  offer(job: Job): boolean;
}

/** Jobs claimed one by one would cost a look each: a place waits until so large a part of all is free. */
const CLAIM_PART = 1 / 4;
/** No job takes as long with all its deadlines: one that does hangs. */
const HUNG_MILLISECONDS = 180_000;

/** Starts it at once. */
export function startPool<Job>({ size, claim, work, room = () => size, ...rest }: PoolOptions<Job>): Pool<Job> {
  const { name, logger } = rest;
  const running = new Map<Promise<void>, number>();
  let problem: string | undefined;

  const run = async (job: Job): Promise<void> => {
    try {
      await work(job);
      problem = undefined;
    } catch (error) {
      const code = errorType(error);
      // Once per kind of trouble, not once per job.
      if (code !== problem) logger.warn('a job failed, it is tried again', { worker: name, error });
      problem = code;
    }
  };
  const begin = (job: Job): void => {
    const done = run(job).finally(() => {
      running.delete(done);
      worker.wake();
    });
    running.set(done, performance.now());
  };
  const fill = async (): Promise<number> => {
    const free = Math.min(size - running.size, room());
    if (free < 1 || (running.size > 0 && free < size * CLAIM_PART)) return 0;
    const jobs = await claim(free);
    jobs.forEach(begin);
    // Less than there is room for is all that was due. Each job that ends has it looked again.
    return jobs.length < free ? 0 : jobs.length;
  };
  const worker = startWorker({ ...rest, work: fill });

  return {
    ...worker,
    offer: (job) => {
      if (running.size >= size || room() < 1) return false;
      begin(job);
      return true;
    },
    alive: () => worker.alive() && [...running.values()].every((since) => performance.now() - since < HUNG_MILLISECONDS),
    problem: () => worker.problem() ?? problem,
    stop: async () => {
      await worker.stop();
      await Promise.all(running.keys());
    },
  };
}
