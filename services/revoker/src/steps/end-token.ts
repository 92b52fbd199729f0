import { problemOf } from '@mayfly/revocation';
import type { Killing } from '../killing.js';

/** The token dies only with its grant: while a task lives, its other leases hang on it. */
export async function endToken(known: Killing): Promise<void> {
  const { grant, killers, problems } = known;
  if (grant?.state !== 'closing') return;
  if (!grant.tokenAccessor) {
    // INVARIANT: a token that is being made this very moment is not "no token": the issuer says when it is through.
    if (known.issuerAtWork) problems?.set('token', 'token-being-made');
    else known.tokenProof = 'no token was ever made';
    return;
  }
  const accessor = grant.tokenAccessor;
  const problem = await problemOf(async () => {
    const answer = await killers.revoker.revokeToken(accessor);
    if (answer === 'unusable') known.tokenProof = 'vault: token not found';
    else if (await killers.revoker.isTokenGone(accessor)) known.tokenProof = 'vault: invalid accessor';
  });
  if (problem) problems?.set('token', problem);
}
