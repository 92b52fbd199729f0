/**
 * What killing reads and writes in the ledger. Kills that go on side by side share its statements: where they come one by one each has its
 * own at once, and where thousands end together a statement serves a dozen of them.
 * @module
 */
import { ledgerAnswered, type GrantId } from '@mayfly/domain';
import { beingMinted, findWholeGrants, type Database, type WholeGrant } from '@mayfly/store';
import { together } from '@mayfly/worker';
import { closeAll, type Closing } from './close.js';
import { concludeAll, type Conclusion } from './conclude.js';

/** Grants in one statement: few enough that a transaction takes some milliseconds. */
const MOST = 64;
/** Where kills come together, so long others are waited for, in milliseconds: a small part of what Vault takes for one. */
const LINGER = 10;

/** Steps of many kills, each done together with those that come to it at the same time. None waits for another one's other steps. */
export class KillLedger {
  /** Whether somebody holds, or still has to do, the grant's minting. */
  readonly isBeingMinted: (id: GrantId) => Promise<boolean>;
  /** The grant with all that belongs to it. */
  readonly find: (id: GrantId) => Promise<WholeGrant | undefined>;
  readonly conclude: (conclusion: Conclusion) => Promise<void>;
  readonly close: (closing: Closing) => Promise<void>;

  constructor(database: Database) {
    const shared = { most: MOST, linger: LINGER, apart: ledgerAnswered };
    this.isBeingMinted = together({
      ...shared,
      work: async (ids: readonly GrantId[]) => {
        const busy = await beingMinted(database, ids);
        return ids.map((id) => busy.has(id));
      },
    });
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
