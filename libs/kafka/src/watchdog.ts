/**
 * Ends what has stopped without saying so.
 * @module
 */

const LOOK_MILLISECONDS = 10_000;
/** One look alone may only mean that the whole process was stopped for a while and has just woken up. */
const LOOKS = 2;

/** A consumer has neither read nor tried to for two minutes, and its client has reported nothing. */
export class ConsumerStalled extends Error {
  override readonly name = 'ConsumerStalled';
}

/** A handler's tries have hung so often that they hold what others need. */
export class HandlersHang extends Error {
  override readonly name = 'HandlersHang';
}

/**
 * Looks regularly whether there is progress; calls `onStall` once when there is none for good.
 * @returns stops looking
 */
export function startWatchdog(alive: () => boolean, onStall: (error: Error) => void, every = LOOK_MILLISECONDS): () => void {
  let dead = 0;
  const timer = setInterval(() => {
    dead = alive() ? 0 : dead + 1;
    if (dead < LOOKS) return;
    clearInterval(timer);
    onStall(new ConsumerStalled('the consumer has stopped reading without an error'));
  }, every).unref();
  return () => clearInterval(timer);
}
