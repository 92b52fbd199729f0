/**
 * Telling "the database is away" from "the statement was wrong".
 * @module
 */
import { types } from 'node:util';

// SQLSTATE classes: 08 connection, 53 out of resources, 57P operator intervention, 58 system error; 25006 read-only after a failover;
// 40001 and 40P01: a neighbour was in the way this once.
const AWAY_STATES = /^(08|53|57P|58|25006|40001|40P01)/;
const AWAY_ERRNO = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/** True when the database did not answer in time, so that nothing more is to be expected of this connection. */
export const isSilent = (error: unknown): boolean => types.isNativeError(error) && error.message === 'Query read timeout';

/** True when the error means that the database cannot be used now, and the same call may work later. */
export function isAway(error: unknown): boolean {
  // By its nature and not by its class, since an error of Node's own core may come from another realm.
  if (!types.isNativeError(error)) return false;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') return AWAY_ERRNO.has(code) || AWAY_STATES.test(code);
  return /timeout exceeded when trying to connect|Connection terminated|^Query read timeout$|Client has encountered a connection error/i.test(
    error.message,
  );
}
