/**
 * Public keys that are written down by hand, in a registration, instead of fetched.
 * @module
 */
import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

const member = z
  .string()
  .max(1400)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url');
const kid = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'is 1 to 128 visible ASCII characters');
const use = z.literal('sig').exactOptional();
const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;
const MIN_RSA_BITS = 2048;

const ec = z
  .strictObject({ kty: z.literal('EC'), kid, use, alg: z.enum(['ES256', 'ES384', 'ES512']), crv: z.string(), x: member, y: member })
  .refine(({ alg, crv }) => CURVES[alg] === crv, 'the curve is not the one of this alg');
const rsa = z.strictObject({ kty: z.literal('RSA'), kid, use, alg: z.enum(['PS256', 'RS256']), n: member, e: z.literal('AQAB') });

const ed = z.strictObject({ kty: z.literal('OKP'), kid, use, alg: z.literal('EdDSA'), crv: z.literal('Ed25519'), x: member });

/** A public key as a JWK that says its own id and the one algorithm it is for. */
export type PublicKey = z.infer<typeof ec> | z.infer<typeof rsa>;
/** One that signs policy sets. */
export type PolicyKey = z.infer<typeof ec> | z.infer<typeof ed>;

/** Checks such a key: public members only, a point on its curve, no RSA key under 2048 bits. */
export const publicKeyForm: z.ZodType<PublicKey> = z
  .discriminatedUnion('kty', [ec, rsa])
  .refine(isSound, 'is not a usable public key (EC on its curve, or RSA of at least 2048 bits)');

/** Checks the key of somebody who signs policy sets: elliptic curves only. */
export const policyKeyForm: z.ZodType<PolicyKey> = z
  .discriminatedUnion('kty', [ec, ed])
  .refine(isSound, 'is not a usable public key (a point on its curve)');

function isSound(jwk: PublicKey | PolicyKey): boolean {
  try {
    const bits = createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyDetails?.modulusLength;
    return bits === undefined || bits >= MIN_RSA_BITS;
  } catch {
    return false;
  }
}

/** `x` of the points whose private halves are published with the source code; the point across has the same, and is as well known. */
const DEV_KEYS: readonly (string | undefined)[] = ['t0ptJi0GhC99gJ-TTJxUkxd_whOSQzmqjNeU9hEIRxE'];

/** True for a key whose private half everybody has: good for the worked example, never for production. However its bytes are spelt. */
export const isDevKey = (key: PublicKey | PolicyKey): boolean =>
  DEV_KEYS.includes(createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' }).x);
