import { countPermitted, readStandings, type Database, type Permitted, type Standing } from '@mayfly/store';
import { together } from '@mayfly/worker';

/** Most requests of one statement. */
const MOST = 64;

/** What evaluations that arrive at the same time do together, each kind in one statement. */
export interface Grouped {
  /** See {@link readStandings}. */
  readonly standings: (taskIds: readonly string[]) => Promise<ReadonlyMap<string, Standing>>;
  /** See {@link countPermitted}; true when it was counted. */
  readonly count: (permitted: Permitted) => Promise<boolean>;
}

/** Gathers them; what arrives alone waits for nobody. */
export function group(database: Database): Grouped {
  return {
    standings: together({
      most: MOST,
      work: async (lists) => {
        const all = await readStandings(database, [...new Set(lists.flat())]);
        return lists.map((list) => new Map(list.flatMap((id) => (all.has(id) ? [[id, all.get(id)!]] : []))));
      },
    }),
    count: together({ most: MOST, work: (all) => countAll(database, all) }),
  };
}

/** One statement counts each task once: what is left of the same tasks comes in the next one. */
async function countAll(database: Database, all: readonly Permitted[]): Promise<boolean[]> {
  const counted = new Map<Permitted, boolean>();
  for (let left = all; left.length > 0; left = left.filter((each) => !counted.has(each))) {
    const firsts = [...new Map(left.toReversed().map((each) => [each.standing.grant.id, each])).values()];
    const done = await countPermitted(database, firsts);
    for (const each of firsts) counted.set(each, done.has(each.standing.grant.id));
  }
  return all.map((each) => counted.get(each) ?? false);
}
