/**
 * Which person asks, and in which roles.
 * @module
 */
import { BadConfig } from '@mayfly/domain';
import { checkClaims } from './check-claims.js';
import { refuseBound } from './confirm-holder.js';
import { KeySet } from './key-set.js';
import { openToken } from './open-token.js';
import { RefusedToken } from './refused-token.js';
import type { Trust } from './trust.js';
import { signingKeys } from './usable-keys.js';
import { verifySignature } from './verify-signature.js';
import type { VerifierTools } from './workload-verifier.js';

/** What operators may be: read, approve, act, or everything. */
export const ROLES = ['viewer', 'approver', 'operator', 'admin'] as const;
/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** A person who has proven who they are. */
export interface OperatorIdentity {
  /** `sub` of the operators' issuer. */
  readonly id: string;
  /** Those of {@link ROLES} that the token lists; may be empty. */
  readonly roles: readonly Role[];
}

/** Proves operators by their tokens. */
export interface OperatorVerifier {
  /**
   * Verifies a bearer token, without the word `Bearer`.
   * @throws InvalidToken (a RefusedToken, whose `cause` is for logs only), whatever is wrong
   */
  verify(bearer: string): Promise<OperatorIdentity>;
}

/** ID tokens and access tokens (RFC 9068); logout and security event tokens have types of their own. */
const TYPES: readonly (string | undefined)[] = [undefined, 'JWT', 'at+jwt', 'application/at+jwt'];

/**
 * Accepts tokens of the operators' OIDC issuer.
 * @throws BadConfig when the trust file names none
 */
export function createOperatorVerifier({ operators }: Trust, { clock, fetch = globalThis.fetch }: VerifierTools): OperatorVerifier {
  if (!operators) throw new BadConfig('trust file, operators: is missing');
  const { issuer, jwks, audience, rolesClaim } = operators;
  const keys = new KeySet(jwks, signingKeys, { clock, fetch });
  return {
    async verify(bearer) {
      const opened = openToken(bearer);
      if (!TYPES.includes(opened.typ)) throw new RefusedToken('wrong-type');
      if (opened.issuer !== issuer) throw new RefusedToken('untrusted-issuer');
      const claims = checkClaims(await verifySignature(bearer, keys), audience, clock.now());
      if (claims.all['iss'] !== issuer) throw new RefusedToken('untrusted-issuer');
      refuseBound(claims);
      return { id: claims.subject, roles: rolesOf(claims.all, rolesClaim) };
    },
  };
}

function rolesOf(claims: Readonly<Record<string, unknown>>, path: string): readonly Role[] {
  const listed = path.split('.').reduce<unknown>((value, name) => ownProperty(value, name), claims);
  return Array.isArray(listed) ? ROLES.filter((role) => listed.includes(role)) : [];
}

const ownProperty = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
