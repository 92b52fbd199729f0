/**
 * Public keys that stay current: refreshed on time, on an unknown key, and kept for a while when their source is away.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';
import type { Clock } from '@mayfly/domain';
import { createLocalJWKSet } from 'jose';
import { loadKeys } from './load-keys.js';
import type { Fetch } from './load-keys.js';
import type { KeySource } from './trust.js';
import type { KeyFilter } from './usable-keys.js';

/** Finds the key for a token's header; jose's own form. */
export type KeyFinder = ReturnType<typeof createLocalJWKSet>;

/** What a key set works with; the same for all sets of one verifier. */
export interface KeySetTools {
  readonly clock: Clock;
  readonly fetch: Fetch;
}

/** Intervals in seconds. A file costs nothing to read, so that a key taken out of it is gone at once. */
interface Pace {
  /** Refresh without a hint of the source. */
  readonly refresh: number;
  /** Pause after a failed attempt while there are no keys at all. */
  readonly retry: number;
  /** Pause between attempts while there are keys: a flood of made-up key ids, or a dead source, costs one request. */
  readonly refetch: number;
}
const FILE_PACE: Pace = { refresh: 5, retry: 1, refetch: 1 };
const URL_PACE: Pace = { refresh: 300, retry: 5, refetch: 30 };
const HINT_SECONDS = { least: 10, most: 3600 };
/** So long keys are used after their source was last heard of. */
const MAX_STALE_SECONDS = 3600;

const LONG_AGO = new Date(0);

/** The keys of one issuer. */
export class KeySet {
  readonly #source: KeySource;
  readonly #pick: KeyFilter;
  readonly #tools: KeySetTools;
  readonly #pace: Pace;
  #finder: KeyFinder | undefined;
  #refreshAt = LONG_AGO;
  #staleAt = LONG_AGO;
  #refetchAt = LONG_AGO;
  #loading: Promise<void> | undefined;

  constructor(source: KeySource, pick: KeyFilter, tools: KeySetTools) {
    this.#source = source;
    this.#pick = pick;
    this.#tools = tools;
    this.#pace = 'file' in source ? FILE_PACE : URL_PACE;
  }

  /** The keys as they are known now; undefined when there are none that may still be used. */
  async current(): Promise<KeyFinder | undefined> {
    if (this.#tools.clock.now() >= this.#refreshAt) await this.#load();
    return this.#tools.clock.now() < this.#staleAt ? this.#finder : undefined;
  }

  /** Looks again because a key was not found. False when that was done a moment ago. */
  async refetch(): Promise<boolean> {
    const now = this.#tools.clock.now();
    if (now < this.#refetchAt) return false;
    this.#refetchAt = plusSeconds(now, this.#pace.refetch);
    await this.#load();
    return true;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#reload().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #reload(): Promise<void> {
    try {
      const { keys, spiffe_refresh_hint: hint } = await loadKeys(this.#source, this.#tools.fetch);
      // An empty set is an answer: whoever had keys there has them no longer.
      this.#finder = createLocalJWKSet({ keys: this.#pick(keys) });
      const now = this.#tools.clock.now();
      this.#refreshAt = plusSeconds(now, this.#refreshSeconds(hint));
      this.#staleAt = plusSeconds(now, MAX_STALE_SECONDS);
    } catch {
      // What was known stays in use until it is stale; the next attempt comes after a pause.
      this.#refreshAt = plusSeconds(this.#tools.clock.now(), this.#finder ? this.#pace.refetch : this.#pace.retry);
    }
  }

  #refreshSeconds(hint: number | undefined): number {
    if (hint === undefined || 'file' in this.#source) return this.#pace.refresh;
    return Math.min(Math.max(hint, HINT_SECONDS.least), HINT_SECONDS.most);
  }
}
