/**
 * Which revocation comes first when there are more than can be done at once.
 * @module
 */
import type { Cause } from '@mayfly/domain';

/** Lanes in the order in which they are served; the same numbers are data in SQL. */
export const LANES = ['kill', 'drift', 'end', 'expiry'] as const;
/** One of {@link LANES}. */
export type Lane = (typeof LANES)[number];

const LANE_OF: Readonly<Record<Cause, Lane>> = {
  // A person saw something that must stop now.
  operator: 'kill',
  // It is no longer permitted, and still works.
  policy_drift: 'drift',
  behaviour_drift: 'drift',
  risk_signal: 'drift',
  // It is no longer needed.
  task_ended: 'end',
  agent_release: 'end',
  parent_ended: 'end',
  superseded: 'end',
  // Its target or Vault ends it about now by itself, or nobody knows whether it is needed.
  expired: 'expiry',
  lost_heartbeat: 'expiry',
};

/** The number of a cause's lane; 0 is served first. */
export const laneOf = (cause: Cause): number => LANES.indexOf(LANE_OF[cause]);

/** Out of so many places one goes to whoever has waited longest, whatever their lane: the last lane moves too. */
const PLACES_PER_ELDEST = 8;

/** How many of the places that are free now go by lane, and how many by age. */
export interface Shares {
  readonly byLane: number;
  readonly byAge: number;
}

/** Deals out places: every eighth goes by age, however few are free at a time. */
export class PlaceDealer {
  #owed = 0;

  /** Splits the places that are free now. */
  deal(places: number): Shares {
    this.#owed += places / PLACES_PER_ELDEST;
    const byAge = Math.min(places, Math.floor(this.#owed));
    this.#owed -= byAge;
    return { byLane: places - byAge, byAge };
  }
}
