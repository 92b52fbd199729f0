/**
 * Proof that who sends a token holds the key that the token is bound to: DPoP, RFC 9449, section 4.3.
 * @module
 */
import { createHash } from 'node:crypto';
import { plusSeconds } from '@mayfly/domain';
import { calculateJwkThumbprint, compactVerify, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { MAX_SKEW_SECONDS } from './check-claims.js';
import { ALGORITHMS, openCompact, readJson } from './compact-jws.js';
import { RefusedToken } from './refused-token.js';
import { sameUrl } from './same-url.js';

/** A proof, and the request that it came with. */
export interface RequestProof {
  /** The one `DPoP` header. */
  readonly proof: string;
  readonly method: string;
  /** Where the request was sent to as its sender sees it: by our own configuration, never by what the request says. */
  readonly url: string;
}

/** A proof that holds, to be used once. */
export interface CheckedProof {
  /** RFC 7638 SHA-256 thumbprint of the key that signed it. */
  readonly thumbprint: string;
  /** `jti`; one key uses it once. */
  readonly proofId: string;
  /** From then on it is too old wherever it is checked. */
  readonly oldFrom: Date;
}

/** How old a proof may be, in seconds, beside what clocks may be apart. */
const MAX_AGE_SECONDS = 60;
const MAX_LENGTH = 4_096;

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
/** Public keys only: whoever shows a private one has lost it. */
const publicKey = z.union([
  z.looseObject({
    kty: z.literal('EC'),
    crv: z.enum(['P-256', 'P-384', 'P-521']),
    x: base64url,
    y: base64url,
    d: z.undefined().optional(),
  }),
  z.looseObject({ kty: z.literal('RSA'), n: base64url, e: z.literal('AQAB'), d: z.undefined().optional() }),
]);
const claims = z.looseObject({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  iat: z.int().min(0).max(8_640_000_000_000),
  ath: z.string(),
});

/**
 * Checks everything about a proof but whether it was used before.
 * @param token the token that came with it
 * @throws RefusedToken
 */
export async function checkProof({ proof, method, url }: RequestProof, token: string, now: Date): Promise<CheckedProof> {
  const { header, payload } = openCompact(proof, { longest: MAX_LENGTH, embedded: 'jwk' });
  if (header.typ !== 'dpop+jwt') throw new RefusedToken('wrong-type');
  const key = membersOf(readJson(publicKey, Buffer.from(JSON.stringify(header['jwk'] ?? null))));
  await verify(proof, key, header.alg);
  const { jti, htm, htu, iat, ath } = readJson(claims, payload);
  if (htm !== method || !sameUrl(htu, url) || ath !== digestOf(token)) throw new RefusedToken('other-request');
  const issuedAt = new Date(iat * 1000);
  const oldFrom = plusSeconds(issuedAt, MAX_AGE_SECONDS + MAX_SKEW_SECONDS);
  if (issuedAt > plusSeconds(now, MAX_SKEW_SECONDS)) throw new RefusedToken('not-yet-valid');
  if (oldFrom <= now) throw new RefusedToken('expired');
  return { thumbprint: await calculateJwkThumbprint(key, 'sha256'), proofId: jti, oldFrom };
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** Only what makes the key: what else is in it says nothing that counts. */
function membersOf(key: z.infer<typeof publicKey>): JWK {
  return key.kty === 'EC' ? { kty: key.kty, crv: key.crv, x: key.x, y: key.y } : { kty: key.kty, n: key.n, e: key.e };
}

async function verify(proof: string, key: JWK, alg: string): Promise<void> {
  try {
    await compactVerify(proof, await importJWK(key, alg), { algorithms: ALGORITHMS });
  } catch {
    throw new RefusedToken('bad-signature');
  }
}
