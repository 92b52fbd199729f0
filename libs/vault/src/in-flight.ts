/**
 * How many calls of Vault are under way in this process.
 * @module
 */
import { gauge, type Metric } from '@mayfly/telemetry';

/** Semantic conventions: `http.client.active_requests`. */
export const IN_FLIGHT: Metric<'gauge'> = {
  kind: 'gauge',
  name: 'http.client.active_requests',
  unit: '{request}',
  description: 'calls to the secrets engine that wait for their answer',
};

let underWay = 0;
gauge(IN_FLIGHT, () => underWay);

/** Runs a call and counts it while it lasts. */
export async function counted<T>(work: () => Promise<T>): Promise<T> {
  underWay += 1;
  try {
    return await work();
  } finally {
    underWay -= 1;
  }
}
