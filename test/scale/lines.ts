/** Ends that wait: lane by lane, in a lane by turns between the tenants, and every eighth place to whoever has waited longest (as the revoker takes them). */
import { LANES, PlaceDealer } from '@mayfly/revocation';

export interface Ending {
  readonly tenant: string;
  /** Number of a lane, 0 first. */
  readonly lane: number;
  readonly askedAt: number;
  /** Calls to the target that it needs: 0 where nothing was minted. */
  readonly logins: number;
  attempts: number;
  taken: boolean;
}

export class Lines {
  /** By lane: the tenants in the order of their turns. */
  readonly #lanes: Map<string, Queue>[] = LANES.map(() => new Map<string, Queue>());
  readonly #byAge = new Queue();
  readonly #places = new PlaceDealer();
  #waiting = 0;

  get waiting(): number {
    return this.#waiting;
  }

  put(ending: Ending): void {
    ending.taken = false;
    this.#waiting += 1;
    const lane = this.#lanes[ending.lane]!;
    const line = lane.get(ending.tenant) ?? new Queue();
    lane.set(ending.tenant, line);
    line.put(ending);
    this.#byAge.put(ending);
  }

  /** The next one, for one free place. */
  take(): Ending | undefined {
    const ending = this.#places.deal(1).byAge > 0 ? this.#byAge.take() : this.#takeByLane();
    if (ending) this.#waiting -= 1;
    return ending;
  }

  #takeByLane(): Ending | undefined {
    for (const lane of this.#lanes) {
      for (const [tenant, line] of lane) {
        const ending = line.take();
        lane.delete(tenant);
        if (!ending) continue;
        // Its turn is over: behind the others.
        lane.set(tenant, line);
        return ending;
      }
    }
    return undefined;
  }
}

/** First in, first out; who was taken by the other way in is passed over. */
class Queue {
  #items: Ending[] = [];
  #next = 0;

  put(ending: Ending): void {
    this.#items.push(ending);
  }

  take(): Ending | undefined {
    while (this.#next < this.#items.length) {
      const ending = this.#items[this.#next]!;
      this.#next += 1;
      if (this.#next > 1_024 && this.#next * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#next);
        this.#next = 0;
      }
      if (ending.taken) continue;
      ending.taken = true;
      return ending;
    }
    return undefined;
  }
}
