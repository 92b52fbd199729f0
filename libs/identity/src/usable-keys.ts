/**
 * Which keys of a set may verify tokens.
 * @module
 */
import type { JWK } from 'jose';
import type { RawKeys } from './load-keys.js';

/** Picks the keys that count, as jose can use them. */
export type KeyFilter = (keys: RawKeys['keys']) => JWK[];

/** Public, asymmetric, and no RSA exponent but the usual one: with exponent 1 every message is its own signature. */
const isSound = (key: RawKeys['keys'][number]): boolean =>
  !('d' in key) && (key.kty === 'EC' || (key.kty === 'RSA' && key['e'] === 'AQAB'));

/**
 * Keys of a SPIFFE bundle that sign JWT-SVIDs. Their `use` is dropped: jose only takes keys whose use
 * is absent or `sig`, so a bundle as it is would never match.
 */
export const jwtSvidKeys: KeyFilter = (keys) =>
  keys.filter((key) => key['use'] === 'jwt-svid' && typeof key['kid'] === 'string' && isSound(key)).map(({ use: _use, ...key }) => key);

/** Keys of a JWK set that sign. */
export const signingKeys: KeyFilter = (keys) => keys.filter((key) => (key['use'] === undefined || key['use'] === 'sig') && isSound(key));
