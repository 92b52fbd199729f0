import { failpoint } from '@mayfly/failpoints';
import type { Fetch } from '../fetch.js';

/** Nothing leaves before this is done: what was minted is written down, and that it leaves; see {@link file://./../hand-all.ts}. */
export async function hand(known: Fetch): Promise<void> {
  if (!known.grant || !known.credential || !known.lease || !known.decision) throw new TypeError('hand comes last');
  known.lease = await known.book.hand(known);
  failpoint('C9');
  failpoint('C10');
}
