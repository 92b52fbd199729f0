import type { Logger } from '@mayfly/telemetry';
import { startWorker, type Worker } from '@mayfly/worker';

/** How often everything is walked, in milliseconds. */
const EVERY_MILLISECONDS = 10_000;

/** A loop of walks that knows when it last got through. */
export interface Reconciler {
  readonly worker: Worker;
  /** Seconds since its last round that walked everything; since its start before the first. */
  ageSeconds(): number;
}

/** Starts one. */
export function reconciler(name: string, round: () => Promise<unknown>, logger: Logger): Reconciler {
  let last = performance.now();
  const work = async (): Promise<0> => {
    await round();
    last = performance.now();
    return 0; // there is nothing to hurry on with
  };
  const worker = startWorker({ name, everyMilliseconds: EVERY_MILLISECONDS, work, logger });
  return { worker, ageSeconds: () => (performance.now() - last) / 1000 };
}
