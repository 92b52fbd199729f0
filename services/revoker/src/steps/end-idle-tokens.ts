import { earliest, plusSeconds } from '@mayfly/domain';
import { problemOf } from '@mayfly/revocation';
import { idleTokens, noteTokenGone } from '@mayfly/store';
import type { Killing } from '../killing.js';
import { proveTokenGone } from '../prove-token-gone.js';

const LOOK_AGAIN_SECONDS = 5;

/** A token that was replaced and on which nothing hangs any more need not wait for the end of its task: it still opens what was lost. */
export async function endIdleTokens(known: Killing): Promise<void> {
  const { database, clock, grant, killers } = known;
  if (grant?.state !== 'granted') return;
  let left = 0;
  for (const accessor of await idleTokens(database, grant.id)) {
    const problem = await problemOf(async () => {
      const gone = await proveTokenGone(killers.revoker, accessor);
      if (gone) await noteTokenGone(database, accessor, gone, clock.now());
      else left += 1;
    });
    if (problem) left += 1;
  }
  if (left === 0) return;
  const again = plusSeconds(clock.now(), LOOK_AGAIN_SECONDS);
  known.next = known.next ? earliest(known.next, again) : again;
}
