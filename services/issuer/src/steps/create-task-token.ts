import { SPANS } from '@mayfly/telemetry';
import { makeTaskToken, scopeOf } from '../make-task-token.js';
import type { Minting } from '../minting.js';
import { toMint } from './mint-leases.js';

/** Creates the task's token: only the policies of what was permitted, dead at the deadline by Vault's own clock. */
export async function createTaskToken(known: Minting): Promise<'stop' | void> {
  const { vault, book, grant, claim } = known;
  if (known.token || !grant.deadline) return;
  if (!(await book.hold(claim))) return 'stop';
  const created = await makeTaskToken(known, await scopeOf(known), SPANS.createTaskToken);
  const last = toMint(known).length === 0;
  const state = await book.keepToken({ grant, created, ...(last && { settles: claim }) });
  // A paused process that comes back finds another's token kept, or the grant over: its own must not live.
  if (!state) await vault.discardToken(created.token);
  // A grant that ended while the token was made has it written down all the same, so that the revoker finds and kills it.
  if (state !== 'granted') return 'stop';
  known.token = created.token;
  known.settled = last;
}
