/**
 * JWT-SVIDs of the dev trust domain, in place of what SPIRE gives to real workloads.
 * @module
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, SignJWT } from 'jose';
import { readPrivateKey } from './private-key.js';

/** What the token says. */
export interface SvidClaims {
  readonly subject: string;
  readonly audience: string;
  /** Its life in seconds; negative for one that is over already. */
  readonly ttlSeconds: number;
  /** File of the private key (JWK or PEM) that the token is to be bound to. */
  readonly boundTo?: string | undefined;
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
export async function signSvid(keyFile: string, { subject, audience, ttlSeconds, boundTo }: SvidClaims): Promise<Svid> {
  const jwk = await readPrivateKey(keyFile);
  const { alg, kid } = jwk;
  const cnf = boundTo === undefined ? undefined : { jkt: await calculateJwkThumbprint(await readPrivateKey(boundTo)) };
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ sub: subject, aud: audience, iat: now, exp: now + ttlSeconds, ...(cnf && { cnf }) })
    .setProtectedHeader({ alg, kid, typ: 'JWT' })
    .sign(await importJWK(jwk, alg));
  return { token, expiresAt: new Date((now + ttlSeconds) * 1000) };
}

/** The same key, to sign proofs with. @throws NotSetUp when there is no such key */
export const readProofKey = async (file: string): Promise<KeyObject> =>
  createPrivateKey({ key: await readPrivateKey(file), format: 'jwk' });
