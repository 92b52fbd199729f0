/** Waiting on conditions. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks `probe` again and again until it answers something true, and gives that back.
 * @param {{ what: string, seconds: number, gaveUp?: () => string | undefined }} options `gaveUp` says why waiting is pointless
 * @throws Error naming `what` when the time is over or `gaveUp` gave a reason
 */
export async function until(probe, { what, seconds, gaveUp = () => undefined }) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await Promise.resolve()
      .then(probe)
      .catch(() => undefined);
    if (answer) return answer;
    const reason = gaveUp();
    if (reason) throw new Error(`${what}: ${reason}`);
    if (Date.now() > deadline) throw new Error(`${what}: not ready after ${seconds} s`);
    await sleep(100);
  }
}

/** True when a GET is answered with 2xx within two seconds. */
export async function answers(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.ok;
}
