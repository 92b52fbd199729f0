/**
 * The state of each part of a service, and since when it is that.
 * @module
 */
import { errorType } from '@mayfly/telemetry';

/** How one part is. */
export interface PartState {
  /** `ok`, or a stable code of what is wrong; never the text of an error. */
  readonly status: string;
  /** When this was first seen, RFC 3339. */
  readonly since: string;
}

const PATIENCE_MILLISECONDS = 2_000;

/** Remembers states, and asks each dependency at most once at a time. */
export class PartWatch {
  readonly #states = new Map<string, PartState>();
  readonly #underWay = new Map<string, Promise<string>>();

  /** Notes a state. */
  seen(name: string, status: string): PartState {
    const before = this.#states.get(name);
    if (before?.status === status) return before;
    const state = { status, since: new Date().toISOString() };
    this.#states.set(name, state);
    return state;
  }

  /** Asks, and waits two seconds at most: then the state is `slow`. Whoever asks meanwhile waits for the same answer. */
  async ask(name: string, check: () => Promise<unknown>): Promise<PartState> {
    const asked = this.#underWay.get(name) ?? stateOf(check).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, asked);
    let timer: NodeJS.Timeout | undefined;
    const slow = new Promise<string>((resolve) => (timer = setTimeout(() => resolve('slow'), PATIENCE_MILLISECONDS)));
    try {
      return this.seen(name, await Promise.race([asked, slow]));
    } finally {
      clearTimeout(timer);
    }
  }
}

const stateOf = async (check: () => Promise<unknown>): Promise<string> => {
  try {
    await check();
    return 'ok';
  } catch (error) {
    return errorType(error);
  }
};
