/**
 * Which workload asks.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import { checkClaims } from './check-claims.js';
import type { CheckedClaims } from './check-claims.js';
import type { RequestProof } from './check-proof.js';
import { confirmHolder, type ProofRegister } from './confirm-holder.js';
import { KeySet } from './key-set.js';
import { KeysUnavailable } from './keys-unavailable.js';
import type { Fetch } from './load-keys.js';
import { openToken } from './open-token.js';
import type { OpenedToken } from './open-token.js';
import { RefusedToken } from './refused-token.js';
import { spiffeId } from './spiffe-id.js';
import type { Trust } from './trust.js';
import { jwtSvidKeys, signingKeys } from './usable-keys.js';
import { verifySignature } from './verify-signature.js';

interface Proven {
  /** The SPIFFE ID, or `<issuer>#<subject>`; the form that agents are registered under. */
  readonly id: string;
  readonly audience: string;
  readonly expiresAt: Date;
  /** `jti`, where the token has one. */
  readonly tokenId?: string;
}
/** A workload that has proven who it is. */
export type WorkloadIdentity = Proven &
  ({ readonly kind: 'spiffe'; readonly trustDomain: string } | { readonly kind: 'oidc'; readonly issuer: string });

/** Proves workloads by their tokens. */
export interface WorkloadVerifier {
  /**
   * Verifies a token, without the word `Bearer` or `DPoP`.
   * @param proof what came with it in the scheme `DPoP`; a token that is bound to a key is refused without
   * @throws InvalidToken (a RefusedToken, whose `cause` is for logs only), whatever is wrong; StoreUnavailable
   */
  verify(token: string, proof?: RequestProof): Promise<WorkloadIdentity>;
  /** Resolves while anybody at all can be proven. @throws KeysUnavailable when no keys of any issuer are there */
  ready(): Promise<void>;
}

/** What a verifier needs of the world. */
export interface VerifierTools {
  readonly clock: Clock;
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** Without it no proof is taken. */
  readonly proofs?: ProofRegister;
}

/** One issuer that is trusted: its keys, and what its claims mean. */
interface Voucher {
  readonly keys: KeySet;
  /** Values of `typ` that it may give its tokens. */
  readonly types: readonly (string | undefined)[];
  readonly identify: (claims: CheckedClaims) => WorkloadIdentity;
}

const SVID_TYPES = [undefined, 'JWT', 'JOSE'];
/** Access tokens (RFC 9068) too: those are what authorization servers bind to keys. */
const OIDC_TYPES = [...SVID_TYPES, 'at+jwt', 'application/at+jwt'];

/**
 * Accepts JWT-SVIDs of the trust domains (SPIFFE JWT-SVID) and OIDC tokens of the workload issuers.
 * Keys are looked for at the first token, and only where the trust file says.
 */
export function createWorkloadVerifier(trust: Trust, { clock, fetch = globalThis.fetch, proofs }: VerifierTools): WorkloadVerifier {
  const tools = { clock, fetch };
  const domains = new Map<string | undefined, Voucher>(
    trust.trustDomains.map(({ name, bundle }) => [name, spiffeVoucher(name, new KeySet(bundle, jwtSvidKeys, tools))]),
  );
  const issuers = new Map<string | undefined, Voucher>(
    trust.workloadIssuers.map(({ issuer, jwks, subject }) => [issuer, oidcVoucher(issuer, subject, new KeySet(jwks, signingKeys, tools))]),
  );
  const voucherOf = ({ issuer, subject = '' }: OpenedToken): Voucher | undefined =>
    // A SPIFFE ID can only be vouched for by its own trust domain, whoever the issuer says it is.
    /^spiffe:/i.test(subject) ? domains.get(spiffeId(subject)?.trustDomain) : issuers.get(issuer);

  return {
    async verify(token, proof) {
      const opened = openToken(token);
      const voucher = voucherOf(opened);
      if (!voucher) throw new RefusedToken('untrusted-issuer');
      if (!voucher.types.includes(opened.typ)) throw new RefusedToken('wrong-type');
      const now = clock.now();
      const claims = checkClaims(await verifySignature(token, voucher.keys), trust.audience, now);
      const identity = voucher.identify(claims);
      await confirmHolder(token, claims, proof, { register: proofs, now });
      return identity;
    },
    async ready() {
      const known = await Promise.all([...domains.values(), ...issuers.values()].map(({ keys }) => keys.current()));
      if (known.every((keys) => keys === undefined)) throw new KeysUnavailable();
    },
  };
}

function spiffeVoucher(trustDomain: string, keys: KeySet): Voucher {
  return {
    keys,
    types: SVID_TYPES,
    identify({ subject, all: _, ...rest }) {
      if (spiffeId(subject)?.trustDomain !== trustDomain) throw new RefusedToken('bad-subject');
      return { ...rest, kind: 'spiffe', id: subject, trustDomain };
    },
  };
}

function oidcVoucher(issuer: string, pattern: string | undefined, keys: KeySet): Voucher {
  return {
    keys,
    types: OIDC_TYPES,
    identify({ subject, all, ...rest }) {
      if (all['iss'] !== issuer) throw new RefusedToken('untrusted-issuer');
      if (/\p{Cc}/u.test(subject) || !fits(pattern, subject)) throw new RefusedToken('bad-subject');
      // An issuer's URL has no fragment, so the first # always ends it.
      return { ...rest, kind: 'oidc', id: `${issuer}#${subject}`, issuer };
    },
  };
}

const fits = (pattern: string | undefined, subject: string): boolean =>
  pattern === undefined || (pattern.endsWith('*') ? subject.startsWith(pattern.slice(0, -1)) : subject === pattern);
