/**
 * The claims that every accepted token has to have.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';
import { z } from 'zod';
import { RefusedToken } from './refused-token.js';

/** How far clocks may be apart, in seconds. */
export const MAX_SKEW_SECONDS = 30;
/** Longest life of a token from now, in seconds: a token that lives longer is not a short-lived identity. */
const MAX_LIFE_SECONDS = 86_400;

const numericDate = z.int().min(0).max(8_640_000_000_000);
const form = z.looseObject({
  sub: z.string().min(1).max(2048),
  aud: z.union([z.string(), z.array(z.string()).length(1)]),
  exp: numericDate,
  iat: z.number().optional(),
  nbf: z.number().optional(),
  jti: z.string().min(1).max(256).optional().catch(undefined),
});

/** Claims whose signature and form were checked. */
export interface CheckedClaims {
  readonly subject: string;
  readonly audience: string;
  readonly expiresAt: Date;
  readonly tokenId?: string;
  /** Everything that was signed. */
  readonly all: Readonly<Record<string, unknown>>;
}

/**
 * Checks the payload of a verified token: subject, exactly one audience that is ours, and times.
 * @throws RefusedToken
 */
export function checkClaims(payload: Uint8Array, audience: string, now: Date): CheckedClaims {
  const claims = read(payload);
  // Security event and logout tokens are signed by the same keys and name a subject too.
  if (Object.hasOwn(claims, 'events')) throw new RefusedToken('wrong-type');
  const [aud] = [claims.aud].flat();
  if (aud !== audience) throw new RefusedToken('wrong-audience');
  const expiresAt = new Date(claims.exp * 1000);
  if (expiresAt <= plusSeconds(now, -MAX_SKEW_SECONDS)) throw new RefusedToken('expired');
  if (expiresAt > plusSeconds(now, MAX_LIFE_SECONDS + MAX_SKEW_SECONDS)) throw new RefusedToken('lives-too-long');
  const latest = now.getTime() / 1000 + MAX_SKEW_SECONDS;
  if ((claims.nbf ?? 0) > latest || (claims.iat ?? 0) > latest) throw new RefusedToken('not-yet-valid');
  return { subject: claims.sub, audience, expiresAt, ...(claims.jti !== undefined && { tokenId: claims.jti }), all: claims };
}

function read(payload: Uint8Array): z.infer<typeof form> {
  try {
    return form.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)));
  } catch {
    throw new RefusedToken('bad-claims');
  }
}
