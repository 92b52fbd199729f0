/**
 * How many calls of Vault are under way in this process.
 * @module
 */
import { gauge, METRICS } from '@mayfly/telemetry';

let underWay = 0;
gauge(METRICS.vaultCallsInFlight, () => underWay);

/** Runs a call and counts it while it lasts. */
export async function counted<T>(work: () => Promise<T>): Promise<T> {
  underWay += 1;
  try {
    return await work();
  } finally {
    underWay -= 1;
  }
}
