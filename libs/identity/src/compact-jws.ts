/**
 * The form of a compact JWS (RFC 7515, 7.1), before any key is looked for.
 * @module
 */
import { z } from 'zod';
import { RefusedToken } from './refused-token.js';

/** Algorithms that may sign: asymmetric ones of JWT-SVID, nothing else. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'];

/** Header members that bring keys, change what is signed, or turn a signed token into something else. */
const FORBIDDEN = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc', 'p2c', 'p2s', 'epk'];

const header = z.looseObject({ alg: z.string(), kid: z.string().min(1).max(256).optional(), typ: z.string().optional() });

/** A JWS that nobody verified. */
export interface CompactJws {
  readonly header: z.infer<typeof header>;
  readonly payload: Buffer;
}

/** What a compact JWS may be. */
interface Limits {
  readonly longest: number;
  readonly algorithms?: readonly string[] | undefined;
  readonly embedded?: string;
}

/**
 * Checks form and header.
 * @param limits `longest` in characters; `algorithms` that may sign; `embedded`, a header member that is allowed although it brings a key
 * @throws RefusedToken
 */
export function openCompact(text: string, { longest, algorithms = ALGORITHMS, embedded }: Limits): CompactJws {
  if (text.length > longest) throw new RefusedToken('too-large');
  const parts = text.split('.');
  // Five parts would be an encrypted token; JSON forms have a brace.
  if (parts.length !== 3 || !parts.every(isCanonical)) throw new RefusedToken('malformed');
  const [first, payload] = parts.map((part) => Buffer.from(part, 'base64url')) as [Buffer, Buffer];
  const read = readJson(header, first);
  if (FORBIDDEN.some((name) => Object.hasOwn(read, name) && name !== embedded)) throw new RefusedToken('unsupported-header');
  if (!algorithms.includes(read.alg)) throw new RefusedToken('unsupported-algorithm');
  return { header: read, payload };
}

/** JSON of a form. @throws RefusedToken */
export function readJson<T>(form: z.ZodType<T>, bytes: Uint8Array): T {
  try {
    return form.parse(JSON.parse(String(bytes)));
  } catch {
    throw new RefusedToken('malformed');
  }
}

/** One text per byte sequence: no padding, no spaces, no stray bits in the last character. */
const isCanonical = (part: string): boolean => part.length > 0 && Buffer.from(part, 'base64url').toString('base64url') === part;
