/** Tokens as attackers make them: any header, any payload, any signature. */
import { createHmac, sign as signBytes, createPrivateKey } from 'node:crypto';
import type { JWK } from 'jose';

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** The payload of a token that would be accepted. */
export const rightClaims = (changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => {
  const now = Math.floor(Date.now() / 1000);
  return { sub: 'spiffe://example.org/agent/etl', aud: 'mayfly', iat: now, exp: now + 300, ...changes };
};

/** Signs whatever is said with an EC or RSA key; a header member that is undefined is left out. */
export function forge(key: JWK, header: Readonly<Record<string, unknown>> = {}, claims: unknown = rightClaims()): string {
  const input = `${encode({ alg: key.alg, kid: key.kid, ...header })}.${encode(claims)}`;
  const privateKey = createPrivateKey({ key: key, format: 'jwk' });
  return `${input}.${signBytes('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** A token whose signature is an HMAC with the given text, as if a public key were a shared one. */
export function forgeHmac(secret: string, kid: string | undefined): string {
  const input = `${encode({ alg: 'HS256', kid })}.${encode(rightClaims())}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** The same token with another signature. */
export const withSignature = (token: string, change: (signature: string) => string): string => {
  const [header, payload, signature = ''] = token.split('.');
  return `${header}.${payload}.${change(signature)}`;
};
