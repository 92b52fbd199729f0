/**
 * What a fetch reads and writes in the ledger. Fetches that arrive at the same time share a statement, or a transaction: each by itself
 * would cost thirty round trips.
 * @module
 */
import type { TaskId } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';
import { isTainted, seeTasks, type Seen } from '@mayfly/store';
import { together } from '@mayfly/worker';
import type { DeliveryDependencies, Fetch } from './fetch.js';
import { handAll } from './hand-all.js';
import { perGrant, SHARED } from './per-grant.js';
import { reserveAll, type Reserved } from './reserve-all.js';

/** A version of a stored object, as one capability reads it. */
interface Version {
  readonly capability: string;
  readonly principal: string;
}
const nameOf = ({ capability, principal }: Version): string => JSON.stringify([capability, principal]);

/** Each is a function of one fetch that is done together with others'. */
export class FetchBook {
  /** How the task stands; undefined: there is none. */
  readonly look: (taskId: TaskId) => Promise<Seen | undefined>;
  /** Which copy is handed out, written down; see {@link reserveAll}. */
  readonly reserve: (fetch: Fetch) => Promise<Reserved>;
  /** See `isTainted`. Who reads the same version at the same moment asks once. */
  readonly isTainted: (version: Version) => Promise<boolean>;
  /** What was minted is written down, with the evidence of the permit and the delivery; see {@link handAll}. */
  readonly hand: (fetch: Fetch) => Promise<Lease>;

  constructor(on: DeliveryDependencies) {
    const { database } = on;
    this.look = together({
      ...SHARED,
      work: async (tasks) => {
        const seen = await seeTasks(database, [...new Set(tasks)]);
        return tasks.map((task) => seen.get(task));
      },
    });
    this.reserve = perGrant((fetches, busy) => reserveAll(on, fetches, busy));
    this.isTainted = together({
      ...SHARED,
      work: async (versions) => {
        const asked = new Map(versions.map((version) => [nameOf(version), version]));
        const answers = await Promise.all(
          [...asked].map(async ([name, { capability, principal }]) => [name, await isTainted(database, capability, principal)] as const),
        );
        const tainted = new Map(answers);
        return versions.map((version) => tainted.get(nameOf(version))!);
      },
    });
    this.hand = perGrant((fetches, busy) => handAll(on, fetches, busy));
  }
}
