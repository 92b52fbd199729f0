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
  /** Whether a named statement is planned once for all values, and not as often as the server likes: for a database whose statements are all ours. */
  readonly keepsPlans?: boolean;
}
