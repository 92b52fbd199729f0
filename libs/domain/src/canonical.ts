/**
 * One byte form for one JSON value (RFC 8785), and its digest.
 * @module
 */
import canonicalize from 'canonicalize';
import { sha256 } from './ids.js';

/** The RFC 8785 form of a JSON value. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('only JSON values have a canonical form');
  return text;
}

/** SHA-256 over the canonical form, as `sha256:` and hex. Equal values have equal digests whatever their key order. */
export const digestOf = (value: unknown): string => sha256(canonicalJson(value));
