/**
 * JWT-SVIDs of the dev trust domain, in place of what SPIRE gives to real workloads.
 * @module
 */
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint, importJWK, SignJWT, type JWK } from 'jose';
import { NotSetUp } from './errors.js';

/** What the token says. */
export interface SvidClaims {
  readonly subject: string;
  readonly audience: string;
  /** Its life in seconds; negative for one that is over already. */
  readonly ttlSeconds: number;
}

/** A signed token. */
export interface Svid {
  readonly token: string;
  readonly expiresAt: Date;
}

/**
 * Signs one.
 * @param keyFile a private key as JWK or PEM
 * @throws NotSetUp when there is no such key
 */
export async function signSvid(keyFile: string, { subject, audience, ttlSeconds }: SvidClaims): Promise<Svid> {
  const jwk = await readKey(keyFile);
  const alg = jwk.alg ?? algorithmOf(jwk);
  const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk));
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ sub: subject, aud: audience, iat: now, exp: now + ttlSeconds })
    .setProtectedHeader({ alg, kid, typ: 'JWT' })
    .sign(await importJWK(jwk, alg));
  return { token, expiresAt: new Date((now + ttlSeconds) * 1000) };
}

async function readKey(file: string): Promise<JWK> {
  try {
    const text = await readFile(file, 'utf8');
    const jwk = text.trimStart().startsWith('{') ? (JSON.parse(text) as JWK) : createPrivateKey(text).export({ format: 'jwk' });
    if (jwk.kty !== undefined && jwk.d !== undefined) return jwk;
  } catch {
    // said below; the cause might quote the key
  }
  throw new NotSetUp(`${file} is no private key (JWK or PEM) that can be read; name another with --key`);
}

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512', Ed25519: 'EdDSA' };
const algorithmOf = ({ kty, crv }: JWK): string => (kty === 'RSA' ? 'RS256' : (CURVES[crv ?? ''] ?? 'ES256'));
