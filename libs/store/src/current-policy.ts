/**
 * The policy set that is current at this very moment, read once per version of its row.
 * @module
 */
import { digestOf, MayflyError } from '@mayfly/domain';
import type { Sql } from '@mayfly/postgres';
import { currentPolicyVersion, findPolicySet, type PolicyVersion, type StoredFiles, type StoredSet } from './policy-sets.js';

/** No policy set can be used: nothing is decided, so nothing is given. */
export class PolicyUnavailable extends MayflyError {
  constructor(message: string, options?: ErrorOptions) {
    super('policy-unavailable', message, 503, true, { retryAfterSeconds: 2 }, options);
  }
}

/** What is stored under the digest was altered. */
class AlteredPolicySet extends MayflyError {
  constructor() {
    super('policy-set-altered', 'the stored files are not those of the digest; apply the set afresh', 503, true);
  }
}

/**
 * Every question asks the ledger which set is current, in the caller's own transaction, so that no replica ever decides by a set
 * that has been replaced; only the reading of a set is remembered, until somebody writes its row.
 */
export class CurrentPolicy<T> {
  #read: { readonly version: string; readonly value: Promise<T> } | undefined;

  /**
   * @param read makes of a set's files what the service decides with; may throw
   * @param vouch throws unless somebody who may stands behind the set: whoever can write in the ledger may not for that reason decide
   */
  constructor(
    private readonly read: (files: StoredFiles) => T | Promise<T>,
    private readonly vouch: (set: StoredSet) => Promise<unknown>,
  ) {}

  /** @throws PolicyUnavailable when no set was applied yet, or the current one cannot be read or is not vouched for */
  async get(sql: Sql): Promise<T> {
    return this.of(sql, await currentPolicyVersion(sql));
  }

  /** The same for who has just read which version is current. @throws PolicyUnavailable */
  async of(sql: Sql, current: PolicyVersion | undefined): Promise<T> {
    if (!current) throw new PolicyUnavailable('no policy set was applied yet; apply one with `mayfly policy apply DIR`');
    const version = `${current.digest} ${current.version}`;
    if (this.#read?.version !== version) {
      // Many ask at once when a set is new: it is read for all of them together.
      const reading = { version, value: this.#load(sql, current.digest) };
      this.#read = reading;
      reading.value.catch(() => {
        if (this.#read === reading) this.#read = undefined;
      });
    }
    return this.#read.value;
  }

  async #load(sql: Sql, digest: string): Promise<T> {
    const set = await findPolicySet(sql, digest);
    try {
      if (!set || digestOf(set.files) !== digest) throw new AlteredPolicySet();
      await this.vouch(set);
      return await this.read(set.files);
    } catch (error) {
      const reason = error instanceof MayflyError ? error.code : 'unreadable';
      const problem = `the current policy set cannot be used (${reason}); apply one that is signed as this installation asks and that this version understands`;
      throw new PolicyUnavailable(problem, { cause: error });
    }
  }
}
