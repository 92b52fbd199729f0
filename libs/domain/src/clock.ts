/**
 * Time as a port, so that tests own it.
 * @module
 */

/** Where "now" comes from. */
export interface Clock {
  now(): Date;
}

/** The machine's wall clock. */
export const systemClock: Clock = { now: () => new Date() };

/** A clock that only moves when told to; for tests. */
export class ManualClock implements Clock {
  #millis: number;
  constructor(start: Date | string = '2026-01-01T00:00:00Z') {
    this.#millis = new Date(start).getTime();
  }
  now(): Date {
    return new Date(this.#millis);
  }
  /** Moves the clock forward by so many milliseconds. */
  advance(milliseconds: number): void {
    this.#millis += milliseconds;
  }
}

/** A point in time, so many seconds after another. */
export const plusSeconds = (from: Date, seconds: number): Date => new Date(from.getTime() + seconds * 1000);
/** The earliest of the given points in time. */
export const earliest = (first: Date, ...rest: readonly Date[]): Date =>
  rest.reduce((soonest, candidate) => (candidate < soonest ? candidate : soonest), first);
