import { failpoint } from '@mayfly/failpoints';
import type { Fetch } from '../fetch.js';
import { OverBudget, refuseOverBudget } from './keep-budget.js';

/** Which copy is handed out is written down before anything exists; see {@link file://./../reserve-all.ts}. */
export async function reserveLease(known: Fetch): Promise<void> {
  if (!known.grant || !known.decision) throw new TypeError('reserveLease comes after decideAgain');
  failpoint('C4');
  const reserved = await known.book.reserve(known).catch((error: unknown) => {
    if (error instanceof OverBudget) return refuseOverBudget(known);
    throw error;
  });
  Object.assign(known, reserved);
}
