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
import { reserveAll, type Reserved } from './reserve-all.js';

/** A task as it is at one moment, with what it asked for and what Vault is. */
export interface Seen {
  readonly standing: Standing;
  readonly credentials: readonly Credential[];
  readonly digests: ReadonlyMap<string, VaultDigest>;
}

/** Most fetches of one statement. */
const MOST = 32;
/** What a function of many at a time says of one whose grant somebody else holds: it is done again, waiting, beside the others. */
export const BUSY = Symbol('busy');

/** Each is a function of one fetch that is done together with others'. */
export class FetchBook {
  /** How the task stands; undefined: there is none. */
  readonly look: (taskId: TaskId) => Promise<Seen | undefined>;
  /** Which copy is handed out, written down; see {@link reserveAll}. */
  readonly reserve: (fetch: Fetch) => Promise<Reserved>;
  /** See `activateLease`. */
  readonly activate: (activation: Activation) => Promise<Lease | undefined>;
  /** Evidence of the permit and the delivery; see {@link handAll}. */
  readonly hand: (fetch: Fetch) => Promise<void>;

  constructor(on: DeliveryDependencies) {
    const { database } = on;
    this.look = together({ most: MOST, work: (tasks) => lookAt(database, tasks) });
    this.reserve = perGrant((fetches, busy) => reserveAll(on, fetches, busy));
    this.activate = together({
      most: MOST,
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

/** What one of many came to: done, refused, or somebody else holds its grant. */
export type Each<Result> = { readonly done: Result } | { readonly refused: unknown } | typeof BUSY;
type Many<Result> = (fetches: readonly Fetch[], busy: 'wait' | 'skip') => Promise<Each<Result>[]>;

/** Fetches of different grants go together. Of one grant they come one after the other, and who finds it held waits alone: nobody for his neighbour. */
function perGrant<Result>(many: Many<Result>): (fetch: Fetch) => Promise<Result> {
  const one = together<Fetch, Each<Result>>({
    most: MOST,
    work: async (fetches) => {
      const firsts = fetches.filter((fetch, place) => fetches.findIndex(({ grant }) => grant?.id === fetch.grant?.id) === place);
      const outcomes = await many(firsts, 'skip');
      return fetches.map((fetch) => outcomes[firsts.indexOf(fetch)] ?? BUSY);
    },
  });
  return async (fetch) => {
    const together = await one(fetch);
    const outcome = together === BUSY ? (await many([fetch], 'wait'))[0]! : together;
    if (outcome === BUSY) throw new TypeError('who waits for a lock is not told that it is busy');
    if ('refused' in outcome) throw outcome.refused;
    return outcome.done;
  };
}
