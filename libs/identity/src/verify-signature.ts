/**
 * The signature of a token, by keys that may have been rotated.
 * @module
 */
import { createHash } from 'node:crypto';
import { compactVerify, errors } from 'jose';
import type { KeyFinder, KeySet } from './key-set.js';
import { ALGORITHMS } from './compact-jws.js';
import { RefusedToken } from './refused-token.js';

const OPTIONS = { algorithms: ALGORITHMS };

/**
 * Verifies a compact JWS and gives the bytes that were signed.
 * @throws RefusedToken
 */
export async function verifySignature(token: string, keySet: KeySet): Promise<Uint8Array> {
  const known = await verifyWith(token, await keySet.current());
  if (known) return known;
  // The signer may have a new key since.
  const rotated = (await keySet.refetch()) ? await verifyWith(token, await keySet.current()) : undefined;
  if (rotated) return rotated;
  throw new RefusedToken('unknown-key');
}

/** The signed bytes, or undefined when no key of these is the token's. */
async function verifyWith(token: string, keys: KeyFinder | undefined): Promise<Uint8Array | undefined> {
  if (!keys) throw new RefusedToken('keys-unavailable');
  const verified = VERIFIED.get(keys) ?? new Map<string, Uint8Array>();
  VERIFIED.set(keys, verified);
  const digest = createHash('sha256').update(token).digest('base64');
  const payload = verified.get(digest) ?? (await verifyAnew(token, keys));
  if (!payload) return undefined;
  const [oldest] = verified.keys();
  if (verified.size >= MOST_VERIFIED && oldest !== undefined) verified.delete(oldest);
  verified.set(digest, payload);
  return payload;
}

/**
 * Signatures that these very keys were found to have made, by the token's digest. Only the signature is remembered: times, audience and the
 * holder are checked each time. It is forgotten with the keys, which are read anew every few seconds or minutes.
 */
const VERIFIED = new WeakMap<KeyFinder, Map<string, Uint8Array>>();
const MOST_VERIFIED = 10_000;

async function verifyAnew(token: string, keys: KeyFinder): Promise<Uint8Array | undefined> {
  try {
    return (await compactVerify(token, keys, OPTIONS)).payload;
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(token, error);
    throw new RefusedToken('bad-signature');
  }
}

/** A token without a key id can be any key's. */
async function verifyWithAny(token: string, keys: errors.JWKSMultipleMatchingKeys): Promise<Uint8Array | undefined> {
  for await (const key of keys) {
    try {
      return (await compactVerify(token, key, OPTIONS)).payload;
    } catch {
      // It may be the next one's.
    }
  }
  return undefined;
}
