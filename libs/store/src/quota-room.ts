/**
 * For how long, and up to where, one count of a quota says enough.
 *
 * INVARIANT: what this process may add without a new count, and what all others can admit meanwhile, fit under the bound together.
 * @module
 */

/** A count that says enough says it for so long, in milliseconds. */
export const FRESH_MS = 1_000;
/** More than all processes together admit of one owner in a millisecond. */
export const ADMITTED_PER_MS = 20;
/** Below this part of a bound a fresh count does: nobody admits the rest of it within {@link FRESH_MS}. */
export const NEAR = 0.5;
/** A count that would do for less than this is not worth keeping, in milliseconds. */
const LEAST_MS = 100;

/** What need not be counted anew. */
export interface QuotaRoom {
  /** How long the count does, in milliseconds. */
  readonly freshMs: number;
  /** What this process itself has added since stays below it. */
  readonly below: number;
}

/**
 * Half of what is left is for this process, half for what others admit meanwhile. A count may take as long as what it counts is many, so that
 * near a large bound it is not made for each start, but as often as the rest could be used up.
 * @param counted what was counted
 * @param limit the bound
 */
export function quotaRoom(counted: number, limit: number): QuotaRoom {
  const half = Math.max(0, limit - counted) / 2;
  const freshMs = half / ADMITTED_PER_MS;
  if (freshMs < FRESH_MS && counted < limit * NEAR) return { freshMs: FRESH_MS, below: limit * NEAR };
  return freshMs < LEAST_MS ? { freshMs: 0, below: 0 } : { freshMs, below: counted + half };
}
