/**
 * How much one change may end before somebody has to say so expressly.
 * @module
 */
import type { Plan } from './make-plan.js';

/** This many leases at most, or this part of those that live, whichever is less; a handful always. */
const MOST_LEASES = 100;
const MOST_PART = 0.2;
const HANDFUL = 5;

/** Options that move the limit. */
export interface Limits {
  readonly yes?: boolean;
  /** Leases; holds even with `yes`. */
  readonly maxLost?: number;
}

/** Why a plan goes too far, as a sentence; undefined when it does not. */
export function tooFar({ live, lost }: Plan, { yes, maxLost }: Limits): string | undefined {
  const leases = lost.total['leases'] ?? 0;
  if (maxLost !== undefined) return leases > maxLost ? `${leases} leases would end, more than --max-lost ${maxLost}` : undefined;
  const limit = Math.min(MOST_LEASES, Math.max(HANDFUL, Math.floor(live.leases * MOST_PART)));
  return yes || leases <= limit
    ? undefined
    : `${leases} of ${live.leases} leases would end; if that is meant, say --yes, or --max-lost ${leases}`;
}
