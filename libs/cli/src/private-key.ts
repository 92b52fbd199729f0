/**
 * Private keys in files.
 * @module
 */
import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { NotSetUp } from './errors.js';

/** A private key that says its algorithm and its id. */
export type PrivateKey = JWK & { readonly alg: string; readonly kid: string };

/**
 * Reads a private key from a file, as JWK or PEM. Where it says none, its `alg` follows from its type and its `kid` is its thumbprint.
 * @throws NotSetUp when there is no such key
 */
export async function readPrivateKey(file: string): Promise<PrivateKey> {
  const jwk = await readKey(file);
  return { ...jwk, alg: jwk.alg ?? algorithmOf(jwk), kid: jwk.kid ?? (await calculateJwkThumbprint(jwk)) };
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
