/**
 * The orchestrator's side of a signature.
 * @module
 */
import { CompactSign, importJWK, type JWK } from 'jose';
import { dataDigest, STATEMENT_TYPE } from './signed-statement.js';

/** The part of an event that a signature covers. */
export interface SignableEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** RFC 3339; a signed event always has one. */
  readonly time: string;
  /** JSON data; for an OpenLineage event the whole body. */
  readonly data?: unknown;
}

/**
 * Signs an event for one installation.
 * @param event as it will be sent
 * @param audience the installation's `EVENT_AUDIENCE`
 * @param key private JWK with `alg` and the `kid` under which its public half is registered
 * @returns the compact JWS for the extension attribute `mayflysignature`
 * @throws TypeError when the key has no `alg` or `kid`
 */
export async function signEvent(event: SignableEvent, audience: string, key: JWK): Promise<string> {
  if (!key.alg || !key.kid) throw new TypeError('a signing key needs alg and kid');
  const { id: jti, source: iss, type, time, data } = event;
  const statement = { iss, jti, type, time, aud: audience, data: dataDigest(data) };
  return new CompactSign(Buffer.from(JSON.stringify(statement)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: STATEMENT_TYPE })
    .sign(await importJWK(key));
}
