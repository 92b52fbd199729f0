/**
 * Proof that the agent holds the key that its token is bound to: DPoP, RFC 9449.
 * @module
 */
import { createHash, createPublicKey, randomUUID, sign, type KeyObject } from 'node:crypto';

/** The request that is proven. */
export interface ProvenRequest {
  readonly method: string;
  /** Where it goes to; its query is not part of the proof. */
  readonly url: string;
  /** The token that goes with it. */
  readonly token: string;
}

/**
 * A proof for one request, to be sent as its `DPoP` header.
 * @param key private, EC on P-256
 * @throws TypeError for any other key
 */
export function proofOfKey(key: KeyObject, { method, url, token }: ProvenRequest): string {
  if (key.type !== 'private' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new TypeError('the proof key has to be a private EC key on P-256');
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
  const claims = {
    jti: randomUUID(),
    htm: method,
    htu: url.split(/[?#]/)[0],
    iat: Math.floor(Date.now() / 1000),
    ath: createHash('sha256').update(token).digest('base64url'),
  };
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  // JOSE has r and s side by side, where OpenSSL's own form is DER.
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}
