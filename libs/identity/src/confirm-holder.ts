/**
 * Who may use a token: anybody who has it, or only the holder of the key that it is bound to (RFC 7800, `cnf`).
 * @module
 */
import { z } from 'zod';
import type { CheckedClaims } from './check-claims.js';
import { checkProof, type CheckedProof, type RequestProof } from './check-proof.js';
import { RefusedToken } from './refused-token.js';

/** Remembers proofs, for all replicas. */
export interface ProofRegister {
  /** True the first time; false for ever after, until it is too old anyway. */
  firstUse(proof: CheckedProof, now: Date): Promise<boolean>;
}

/** Bound by a key's thumbprint and by nothing else: what we cannot check must not be passed over. */
const confirmation = z.strictObject({ jkt: z.string() });

/**
 * INVARIANT: a bound token proves nothing without its key, and a proof nothing without a token that is bound to its key.
 * @throws RefusedToken
 */
export async function confirmHolder(
  token: string,
  claims: CheckedClaims,
  request: RequestProof | undefined,
  { register, now }: { readonly register: ProofRegister | undefined; readonly now: Date },
): Promise<void> {
  if (!request) return refuseBound(claims);
  const bound = confirmation.safeParse(claims.all['cnf']);
  if (!bound.success || !register) throw new RefusedToken('not-bound');
  const proof = await checkProof(request, token, now);
  if (proof.thumbprint !== bound.data.jkt) throw new RefusedToken('other-key');
  // Last, because it is the only step that writes: only who holds token and key can fill the register.
  if (!(await register.firstUse(proof, now))) throw new RefusedToken('replayed');
}

/** A token that is bound to anything is not a bearer's. @throws RefusedToken */
export function refuseBound(claims: CheckedClaims): void {
  if (claims.all['cnf'] !== undefined) throw new RefusedToken('no-proof');
}
