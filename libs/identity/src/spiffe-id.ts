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
const SPIFFE_ID = /^spiffe:\/\/(?<trustDomain>[a-z0-9._-]{1,255})(?<path>(?:\/[A-Za-z0-9._-]+)+)$/;

/**
 * The parts of a workload's SPIFFE ID; undefined for any other text: a trust domain without a path,
 * a query, a port, percent-encoding, an empty segment, `.` or `..`.
 */
export function spiffeId(text: string): SpiffeId | undefined {
  if (text.length > MAX_BYTES) return undefined;
  const id = SPIFFE_ID.exec(text)?.groups as SpiffeId | undefined;
  return id?.path.split('/').some((segment) => segment === '.' || segment === '..') ? undefined : id;
}
