/**
 * SPIFFE IDs, as strictly as the SPIFFE ID standard has them.
 * @module
 */

/** The parts of a workload's SPIFFE ID. */
export interface SpiffeId {
  readonly trustDomain: string;
  /** Starts with `/`; case matters. */
  readonly path: string;
}

const MAX_BYTES = 2048;
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;

/**
 * The parts of a workload's SPIFFE ID; undefined for any other text: a trust domain without a path,
 * a query, a port, percent-encoding, an empty segment, `.` or `..`.
 */
export function spiffeId(text: string): SpiffeId | undefined {
  if (text.length > MAX_BYTES) return undefined;
  const [, trustDomain, path] = SPIFFE_ID.exec(text) ?? [];
  if (trustDomain === undefined || path === undefined) return undefined;
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? undefined : { trustDomain, path };
}
