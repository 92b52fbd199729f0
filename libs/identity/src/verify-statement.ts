/**
 * A signed statement of somebody whose keys are registered.
 * @module
 */
import { compactVerify } from 'jose';
import { openToken } from './open-token.js';
import type { PolicyKey, PublicKey } from './public-key.js';
import { RefusedToken } from './refused-token.js';

/** What was signed, and by which key. */
export interface VerifiedStatement {
  readonly keyId: string;
  /** The payload's JSON, read from the very bytes that were verified. */
  readonly claims: unknown;
}

/**
 * Verifies a compact JWS by the registered key that it names. Keys that it brings along or points to are refused, and so is every
 * other `typ`: a token that was made for something else is no statement. Only the key's own algorithm counts.
 * @param algorithms those that may sign; where it is absent, the asymmetric ones of JWT-SVID
 * @throws RefusedToken `unknown-key` when none of the keys has its `kid`; else what is wrong with it
 */
export async function verifyStatement(
  jws: string,
  typ: string,
  keys: readonly (PublicKey | PolicyKey)[],
  algorithms?: readonly string[],
): Promise<VerifiedStatement> {
  const opened = openToken(jws, algorithms);
  if (opened.typ !== typ) throw new RefusedToken('wrong-type');
  const key = keys.find(({ kid }) => kid === opened.keyId);
  if (!key) throw new RefusedToken('unknown-key');
  try {
    const { payload } = await compactVerify(jws, key, { algorithms: [key.alg] });
    return { keyId: key.kid, claims: JSON.parse(Buffer.from(payload).toString('utf8')) };
  } catch {
    throw new RefusedToken('bad-signature');
  }
}
