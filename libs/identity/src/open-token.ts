/**
 * What can be said about a token before any key is looked for.
 * @module
 */
import { z } from 'zod';
import { RefusedToken } from './refused-token.js';

/** Algorithms that a token may be signed with: asymmetric ones of JWT-SVID, nothing else. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];

/** Largest token, in characters. */
const MAX_LENGTH = 16_384;

/** Header members that bring keys, change what is signed, or turn a signed token into something else. */
const FORBIDDEN = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc', 'p2c', 'p2s', 'epk'];

const header = z.looseObject({ alg: z.string(), kid: z.string().min(1).max(256).optional(), typ: z.string().optional() });
const claims = z.looseObject({ iss: z.string().optional(), sub: z.string().optional() });

/** What an unverified token says about who signed it. Good for finding keys, for nothing else. */
export interface OpenedToken {
  readonly typ: string | undefined;
  readonly keyId: string | undefined;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
}

/**
 * Checks form and header of a compact JWS.
 * @throws RefusedToken
 */
export function openToken(token: string): OpenedToken {
  if (token.length > MAX_LENGTH) throw new RefusedToken('too-large');
  const parts = token.split('.');
  // Five parts would be an encrypted token; JSON forms have a brace.
  if (parts.length !== 3 || !parts.every(isCanonical)) throw new RefusedToken('malformed');
  const [protectedHeader, payload] = parts.map((part) => Buffer.from(part, 'base64url'));
  const { alg, typ, ...rest } = read(header, protectedHeader);
  if (FORBIDDEN.some((name) => Object.hasOwn(rest, name))) throw new RefusedToken('unsupported-header');
  if (!ALGORITHMS.includes(alg)) throw new RefusedToken('unsupported-algorithm');
  const { iss: issuer, sub: subject } = read(claims, payload);
  return { typ, keyId: rest.kid, issuer, subject };
}

/** One text per byte sequence: no padding, no spaces, no stray bits in the last character. */
const isCanonical = (part: string): boolean => part.length > 0 && Buffer.from(part, 'base64url').toString('base64url') === part;

function read<T>(form: z.ZodType<T>, bytes: Buffer | undefined): T {
  try {
    return form.parse(JSON.parse(String(bytes)));
  } catch {
    throw new RefusedToken('malformed');
  }
}
