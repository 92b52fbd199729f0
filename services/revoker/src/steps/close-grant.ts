import { currentTrace } from '@mayfly/telemetry';
import type { Killing } from '../killing.js';

/** Writes what was proven of a grant that ends, closes it if nothing of it is left, and gives up the claim. */
export async function closeGrant({ ledger, clock, claim, grant, conclusion, tokenProof, remains, next = null }: Killing): Promise<void> {
  if (!grant) throw new TypeError('closeGrant comes after findDoomed');
  const proven = tokenProof !== undefined && remains === false;
  await ledger.close({ claim, grant, conclusion, proven, next, at: clock.now(), traceparent: currentTrace()?.traceparent });
}
