/**
 * What killing reads and writes in the ledger. Kills that go on side by side share its statements: where they come one by one each has its
 * own at once, and where thousands end together a statement serves a dozen of them.
 * @module
 */
import { ledgerAnswered, type GrantId } from '@mayfly/domain';
import { findWholeGrants, type Database, type WholeGrant } from '@mayfly/store';
import { together } from '@mayfly/worker';
import { closeAll, type Closing } from './close.js';
import { concludeAll, type Conclusion } from './conclude.js';

/** Grants in one statement: few enough that a transaction takes some milliseconds. */
const MOST = 64;
/** Where kills come together, so long others are waited for, in milliseconds: a small part of what Vault takes for one. */
const LINGER = 10;

/** Steps of many kills, each done together with those that come to it at the same time. None waits for another one's other steps. */
export class KillLedger {
  /** The grant with all that belongs to it. */
  readonly find: (id: GrantId) => Promise<WholeGrant | undefined>;
  /** Writes what an attempt has shown of a grant that lives on. */
  readonly conclude: (conclusion: Conclusion) => Promise<void>;
  /** Ends an attempt, with all that is not written yet. */
  readonly close: (closing: Closing) => Promise<void>;

  constructor(database: Database) {
    const shared = { most: MOST, linger: LINGER, apart: ledgerAnswered };
    this.find = together({
      ...shared,
      work: async (ids: readonly GrantId[]) => {
        const found = await findWholeGrants(database, ids);
        return ids.map((id) => found.get(id));
      },
    });
    this.conclude = together({
      ...shared,
      work: async (conclusions: readonly Conclusion[]) => {
        await database.transaction('conclude leases', (tx) => concludeAll(tx, conclusions));
        return conclusions.map(() => undefined);
      },
    });
    this.close = together({
      ...shared,
      work: async (closings: readonly Closing[]) => {
        await database.transaction('close grant', (tx) => closeAll(tx, closings));
        return closings.map(() => undefined);
      },
    });
  }
}
