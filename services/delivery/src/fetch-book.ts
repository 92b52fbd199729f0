/**
 * What a fetch reads and writes in the ledger. Fetches that arrive at the same time share a statement, or a transaction: each by itself
 * would cost thirty round trips.
 * @module
 */
import type { TaskId } from '@mayfly/domain';
import type { Credential, Lease } from '@mayfly/grant';
import {
  activateLeases,
  credentialsOfTasks,
  readStandings,
  vaultDigests,
  type Activation,
  type Database,
  type Standing,
  type VaultDigest,
} from '@mayfly/store';
import { together } from '@mayfly/worker';
import type { DeliveryDependencies, Fetch } from './fetch.js';
import { handAll } from './hand-all.js';
import { perGrant, SHARED } from './per-grant.js';
import { reserveAll, type Reserved } from './reserve-all.js';

/** A task as it is at one moment, with what it asked for and what Vault is. */
export interface Seen {
  readonly standing: Standing;
  readonly credentials: readonly Credential[];
  readonly digests: ReadonlyMap<string, VaultDigest>;
}

/** Each is a function of one fetch that is done together with others'. */
export class FetchBook {
  /** How the task stands; undefined: there is none. */
  readonly look: (taskId: TaskId) => Promise<Seen | undefined>;
  /** Which copy is handed out, written down; see {@link reserveAll}. */
  readonly reserve: (fetch: Fetch) => Promise<Reserved>;
  /** See `activateLeases`. */
  readonly activate: (activation: Activation) => Promise<Lease | undefined>;
  /** Evidence of the permit and the delivery; see {@link handAll}. */
  readonly hand: (fetch: Fetch) => Promise<void>;

  constructor(on: DeliveryDependencies) {
    const { database } = on;
    this.look = together({ ...SHARED, work: (tasks) => lookAt(database, tasks) });
    this.reserve = perGrant((fetches, busy) => reserveAll(on, fetches, busy));
    this.activate = together({
      ...SHARED,
      work: (all) => database.transaction('activate lease', (tx) => activateLeases(tx, 'delivery', all)),
    });
    this.hand = perGrant((fetches, busy) => handAll(on, fetches, busy));
  }
}

async function lookAt(database: Database, tasks: readonly TaskId[]): Promise<(Seen | undefined)[]> {
  const ids = [...new Set(tasks)];
  const [standings, credentials, digests] = await Promise.all([
    readStandings(database, ids),
    credentialsOfTasks(database, ids),
    vaultDigests(database),
  ]);
  const asked = Map.groupBy(credentials, ({ grantId }) => grantId);
  return tasks.map((task) => {
    const standing = standings.get(task);
    return standing && { standing, credentials: asked.get(standing.grant.id) ?? [], digests };
  });
}
