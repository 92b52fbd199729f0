/**
 * What can be said about a token before any key is looked for.
 * @module
 */
import { z } from 'zod';
import { openCompact, readJson } from './compact-jws.js';

/** Largest token, in characters. */
const MAX_LENGTH = 16_384;

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
 * @param algorithms those that may sign; where it is absent, the asymmetric ones of JWT-SVID
 * @throws RefusedToken
 */
export function openToken(token: string, algorithms?: readonly string[]): OpenedToken {
  const { header, payload } = openCompact(token, { longest: MAX_LENGTH, algorithms });
  const { iss: issuer, sub: subject } = readJson(claims, payload);
  return { typ: header.typ, keyId: header.kid, issuer, subject };
}
