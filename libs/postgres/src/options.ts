/**
 * Where a database is, and who comes.
 * @module
 */

/** Settings of `openDatabase`. */
export interface DatabaseOptions {
  readonly url: string;
  /** Most connections that this process holds. */
  readonly maxConnections?: number;
  readonly applicationName: string;
}
