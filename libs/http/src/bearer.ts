/**
 * The token of a request, taken from one place only.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { InvalidRequest, InvalidToken } from '@mayfly/domain';

const LONGEST = 16_384;

/** A token as it came: bearer (RFC 6750), or with a proof of the key that it is bound to (RFC 9449). */
export type PresentedToken =
  { readonly token: string; readonly scheme: 'Bearer' } | { readonly token: string; readonly scheme: 'DPoP'; readonly proof: string };

/**
 * The token of the one `Authorization` header, with the one `DPoP` header where it has that scheme.
 * @throws InvalidToken when there is none, or no single proof; InvalidRequest when there is more than one, or one in the query
 */
export function presentedToken(request: IncomingMessage): PresentedToken {
  const values = request.headersDistinct['authorization'] ?? [];
  if (values.length > 1) throw new InvalidRequest('send exactly one Authorization header');
  const [, scheme = '', token = ''] = /^(Bearer|DPoP) +([A-Za-z0-9._~+/=-]+)$/i.exec(values[0] ?? '') ?? [];
  if (token === '' || token.length > LONGEST) throw new InvalidToken();
  if (new URLSearchParams(request.url?.split('?')[1]).has('access_token'))
    throw new InvalidRequest('a token belongs into the Authorization header only; URLs end up in logs');
  if (scheme.toLowerCase() === 'bearer') return { token, scheme: 'Bearer' };
  const [proof, ...more] = request.headersDistinct['dpop'] ?? [];
  if (proof === undefined || more.length > 0) throw new InvalidToken();
  return { token, scheme: 'DPoP', proof };
}

/**
 * The token of the one `Authorization: Bearer` header.
 * @throws InvalidToken when there is none; InvalidRequest when there is more than one, or one in the query
 */
export function bearerToken(request: IncomingMessage): string {
  const { scheme, token } = presentedToken(request);
  if (scheme !== 'Bearer') throw new InvalidToken();
  return token;
}
