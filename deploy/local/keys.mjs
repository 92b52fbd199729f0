/**
 * The dev profile's signing keys, made once. Four, because they prove different things and none may stand in for another:
 * `agents` signs the SVIDs of the trust domain's workloads, `services` those of Mayfly's own processes (only OpenBao trusts it,
 * so no agent can log in there), `operators` the tokens of humans, `policy` policy sets.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';

const ALGORITHMS = { agents: 'ES256', services: 'ES256', operators: 'RS256', policy: 'ES256' };

/** The file of a private key, as a JWK with `kid` and `alg`. */
export const keyFile = (keys, name) => join(keys, `${name}.jwk`);

/** The file of the public key that OpenBao is to trust, as PEM. */
export const servicePublicKeyFile = (keys) => join(keys, 'services.pub.pem');

/** Makes the keys that are missing. */
export async function ensureKeys(keys) {
  for (const [name, alg] of Object.entries(ALGORITHMS)) {
    if (existsSync(keyFile(keys, name))) continue;
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(privateKey);
    const kid = await calculateJwkThumbprint(jwk);
    if (name === 'services') writeFileSync(servicePublicKeyFile(keys), await exportSPKI(publicKey), { mode: 0o600 });
    writeFileSync(keyFile(keys, name), JSON.stringify({ ...jwk, kid, alg }), { mode: 0o600 });
  }
}

const privateJwk = (keys, name) => JSON.parse(readFileSync(keyFile(keys, name), 'utf8'));

/** The public half of a key, for a JWK Set. */
export function publicJwk(keys, name, use) {
  const { kty, crv, x, y, n, e, kid, alg } = privateJwk(keys, name);
  return { kty, crv, x, y, n, e, kid, alg, use };
}

/**
 * Signs a JWT with one of the keys.
 * @param {{ keys: string, name: string, claims: object, seconds: number }} what `seconds` is its life
 */
export async function sign({ keys, name, claims, seconds }) {
  const jwk = privateJwk(keys, name);
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ ...claims, iat: now, exp: now + seconds })
    .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid, typ: 'JWT' })
    .sign(await importJWK(jwk));
}
