import { problemOf } from '@mayfly/revocation';
import type { Killing } from '../killing.js';

/** The token dies only with its grant: while a task lives, its other leases hang on it. */
export async function endToken(known: Killing): Promise<void> {
  const { grant, killers } = known;
  if (grant?.state !== 'closing') return;
  if (!grant.tokenAccessor) {
    known.tokenProof = 'no token was ever made';
    return;
  }
  const accessor = grant.tokenAccessor;
  const problem = await problemOf(async () => {
    await killers.revoker.revokeToken(accessor);
    if (await killers.revoker.isTokenGone(accessor)) known.tokenProof = 'vault: invalid accessor';
  });
  if (problem) known.problems?.set('token', problem);
}
