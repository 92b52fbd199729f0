/**
 * Mends kafkajs 2.2.4's request queue, which polls once a millisecond for as long as a connection lives.
 *
 * After every response it schedules a check of its pending requests, even when there are none, after `throttledUntil - now`
 * milliseconds, which is negative without throttling: a `TimeoutNegativeWarning` on Node 24, a 1 ms timer everywhere, and that
 * check schedules the next (kafkajs issues 1704 and 1751). A check is only of use while something is pending.
 * @module
 */
import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** As in kafkajs: how soon to look again when requests wait without being throttled. */
const CHECK_MILLISECONDS = 10;

/** Replaces the faulty method. Another version of kafkajs that lacks it is left alone. */
export function mendRequestQueue(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  if (typeof prototype.scheduleCheckPendingRequests !== 'function') return;
  prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests(this: RequestQueue) {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    const throttledFor = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledFor > 0 ? throttledFor : CHECK_MILLISECONDS,
    );
  };
}
