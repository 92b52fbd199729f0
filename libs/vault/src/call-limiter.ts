/**
 * How many calls of Vault are under way at once: bounded, and fewer while Vault says that it is too much.
 * @module
 */
import { VaultUnavailable } from '@mayfly/domain';
import { gauge, METRICS } from '@mayfly/telemetry';

/** Calls in flight at most where nothing else is set. */
export const DEFAULT_MAX_IN_FLIGHT = 32;
/** So many callers may wait for each place; who comes after them is told to come again. */
const WAITING_PER_PLACE = 8;
/** Nobody waits longer for a place, in milliseconds: claims are held for longer than this and the call together. */
const LONGEST_WAIT_MS = 5_000;
/** One overload brings many complaints at once; they count as one, in milliseconds. */
const SAME_OVERLOAD_MS = 1_000;

interface Waiter {
  readonly enter: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * A place for each call. Callers wait in line for a bounded time. An overload halves the limit, down to one call at a time; each success
 * widens it a little, back to the maximum: additive increase, multiplicative decrease, as TCP does it.
 */
export class CallLimiter {
  readonly #waiting: Waiter[] = [];
  #inFlight = 0;
  #limit: number;
  #halvedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly max: number = DEFAULT_MAX_IN_FLIGHT) {
    this.#limit = max;
  }

  /** Calls that wait for their answer. */
  get inFlight(): number {
    return this.#inFlight;
  }
  /** Callers that wait for a place. */
  get waiting(): number {
    return this.#waiting.length;
  }
  /** How many calls may be in flight now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }
  /** How many calls could begin at once; 0 while anybody waits. Who claims work claims no more than this. */
  room(): number {
    return Math.max(0, this.limit - this.#inFlight - this.#waiting.length);
  }

  /**
   * Runs a call once there is a place for it.
   * @throws VaultUnavailable when the line is too long, or took too long
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.room() > 0) this.#inFlight += 1;
    else await this.#place();
    try {
      const result = await work();
      this.#limit = Math.min(this.max, this.#limit + 1 / this.#limit);
      return result;
    } finally {
      this.#inFlight -= 1;
      this.#letIn();
    }
  }

  /** Vault said that it is too much, or did not answer at all. */
  overloaded(): void {
    const now = performance.now();
    if (now - this.#halvedAt < SAME_OVERLOAD_MS) return;
    this.#halvedAt = now;
    this.#limit = Math.max(1, this.#limit / 2);
  }

  /** Shows it to whoever reads `/metrics`; for the process's one limiter. */
  show(): void {
    gauge(METRICS.vaultCallsInFlight, () => this.inFlight);
    gauge(METRICS.vaultCallsWaiting, () => this.waiting);
    gauge(METRICS.vaultCallsLimit, () => this.limit);
  }

  #place(): Promise<void> {
    if (this.#waiting.length >= this.max * WAITING_PER_PLACE) throw tooMany();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(tooMany());
      }, LONGEST_WAIT_MS);
      const waiter: Waiter = { enter: resolve, timer };
      this.#waiting.push(waiter);
    });
  }

  #letIn(): void {
    while (this.#inFlight < this.limit) {
      const next = this.#waiting.shift();
      if (!next) return;
      clearTimeout(next.timer);
      // Counted here, so that nobody takes the place before the waiter runs.
      this.#inFlight += 1;
      next.enter();
    }
  }
}

const tooMany = (): VaultUnavailable => new VaultUnavailable('too many calls wait for the secrets engine; try again shortly');
