/**
 * The policy set that is current at this very moment, read once per digest.
 * @module
 */
import { MayflyError } from '@mayfly/domain';
import type { Sql } from '@mayfly/postgres';
import { currentPolicyDigest, policySetFiles, type StoredFiles } from './policy-sets.js';

/** No policy set can be used: nothing is decided, so nothing is given. */
export class PolicyUnavailable extends MayflyError {
  constructor(message: string, options?: ErrorOptions) {
    super('policy-unavailable', message, 503, true, { retryAfterSeconds: 2 }, options);
  }
}

/**
 * Every question asks the ledger which digest is current, in the caller's own transaction, so that no replica ever decides by a set
 * that has been replaced; only the reading of a set is remembered.
 */
export class CurrentPolicy<T> {
  #digest: string | undefined;
  #value: T | undefined;

  /** @param read makes of a set's files what the service decides with; may throw */
  constructor(private readonly read: (files: StoredFiles) => T) {}

  /** @throws PolicyUnavailable when no set was applied yet, or the current one cannot be read */
  async get(sql: Sql): Promise<T> {
    const digest = await currentPolicyDigest(sql);
    if (digest === undefined) throw new PolicyUnavailable('no policy set was applied yet; apply one with `mayfly policy apply DIR`');
    if (digest !== this.#digest || this.#value === undefined) {
      const files = await policySetFiles(sql, digest);
      try {
        this.#value = this.read(files ?? {});
        this.#digest = digest;
      } catch (error) {
        throw new PolicyUnavailable('the current policy set cannot be read; apply one that this version understands', { cause: error });
      }
    }
    return this.#value;
  }
}
