/**
 * Standing behind a policy set.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CompactSign, importJWK } from 'jose';
import type { Cli } from './cli.js';
import { NotSetUp, WrongUsage } from './errors.js';
import { readPrivateKey } from './private-key.js';

/** A signature, and the public key that it is checked by. */
export interface PolicySignature {
  readonly signature: string;
  readonly publicKey: Readonly<Record<string, string>>;
}

/**
 * Signs a set's digest.
 * @param keyFile a private EC or Ed25519 key as JWK or PEM
 * @throws NotSetUp when there is no such key
 */
export async function signPolicySet(digest: string, keyFile: string): Promise<PolicySignature> {
  const [jwk, { POLICY_SIGNATURE_ALGORITHMS, POLICY_SIGNATURE_TYPE }] = await Promise.all([
    readPrivateKey(keyFile),
    import('@mayfly/policy'),
  ]);
  const { alg, kid, kty = '', crv = '', x = '', y } = jwk;
  if (!POLICY_SIGNATURE_ALGORITHMS.includes(alg))
    throw new NotSetUp(`${keyFile} is no key that signs policy sets: make an EC or Ed25519 key`);
  const payload = { policySet: digest, iat: Math.floor(Date.now() / 1000) };
  const signature = await new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg, kid, typ: POLICY_SIGNATURE_TYPE })
    .sign(await importJWK(jwk, alg));
  return { signature, publicKey: { kty, crv, alg, kid, use: 'sig', x, ...(y !== undefined && { y }) } };
}

/** The signature that goes with a set: one from a file, or made here and now; undefined where neither was given. */
export async function signatureFor(
  { cwd }: Pick<Cli, 'cwd'>,
  digest: string,
  { signature, key }: { readonly signature?: string; readonly key?: string },
): Promise<string | undefined> {
  if (signature !== undefined && key !== undefined) throw new WrongUsage('give either --signature or --key, not both');
  if (key !== undefined) return (await signPolicySet(digest, resolve(cwd, key))).signature;
  if (signature === undefined) return undefined;
  return (
    await readFile(resolve(cwd, signature), 'utf8').catch(() => {
      throw new NotSetUp(`${signature} cannot be read; make it with npx mayfly policy sign`);
    })
  ).trim();
}
