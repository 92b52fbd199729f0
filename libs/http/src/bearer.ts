/**
 * The bearer token of a request (RFC 6750), taken from one place only.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { InvalidRequest, InvalidToken } from '@mayfly/domain';

const LONGEST = 16_384;

/**
 * The token of the one `Authorization: Bearer` header; a token in a query or body is never looked at.
 * @throws InvalidToken when there is none; InvalidRequest when there is more than one
 */
export function bearerToken(request: IncomingMessage): string {
  const values = request.headersDistinct['authorization'] ?? [];
  if (values.length > 1) throw new InvalidRequest('send exactly one Authorization header');
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(values[0] ?? '');
  if (!match?.[1] || match[1].length > LONGEST) throw new InvalidToken();
  return match[1];
}
