import { problemOf } from '@mayfly/revocation';
import { noteTokenGone } from '@mayfly/store';
import type { Killing } from '../killing.js';
import { proveTokenGone } from '../prove-token-gone.js';

/**
 * The token dies only with its grant: while a task lives, its other leases hang on it. Those that it replaced die with it, and so do all that
 * were made with any of them.
 */
export async function endToken(known: Killing): Promise<void> {
  const { database, clock, grant, killers, problems, retiredTokens = [] } = known;
  if (grant?.state !== 'closing') return;
  const { tokenAccessor } = grant;
  if (!tokenAccessor) {
    // INVARIANT: a token that is being made this very moment is not "no token": the issuer says when it is through.
    if (known.issuerAtWork) problems?.set('token', 'token-being-made');
    else known.tokenProof = 'no token was ever made';
    return;
  }
  const problem = await problemOf(async () => {
    let left = 0;
    for (const accessor of retiredTokens) {
      const gone = await proveTokenGone(killers.revoker, accessor);
      if (gone) await noteTokenGone(database, accessor, gone, clock.now());
      else left += 1;
    }
    const proof = await proveTokenGone(killers.revoker, tokenAccessor);
    if (proof && left === 0) known.tokenProof = proof;
  });
  if (problem) problems?.set('token', problem);
}
