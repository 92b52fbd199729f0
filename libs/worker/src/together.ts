/**
 * Doing together what arrives while the last round is under way: one transaction for many, as a database groups its commits.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';

/** What is done together. */
export interface TogetherOptions<Item, Result> {
  /** Most items of one round. */
  readonly most: number;
  /** Does all of them or none; one result for each, in their order. */
  readonly work: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** How long to wait for more after a round of several, in milliseconds: where some come together, more are on their way. 0 by default. */
  readonly linger?: number;
  /** Whether a round of several that failed so is worth trying one by one; always by default. */
  readonly apart?: (error: unknown) => boolean;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gives a function that does one item, and gathers those that come meanwhile. A lone item is done at once. When a round of several fails
 * each is tried by itself, so that none fails for its neighbour's sake.
 */
export function together<Item, Result>({
  most,
  work,
  linger = 0,
  apart = () => true,
}: TogetherOptions<Item, Result>): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let underWay = false;

  const round = async (some: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await work(some.map(({ item }) => item));
      some.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      if (some.length === 1 || !apart(error)) return some.forEach(({ reject }) => reject(error));
      for (const one of some) await round([one]);
    }
  };
  const run = async (): Promise<void> => {
    if (underWay) return;
    underWay = true;
    // Those that arrive in the same turn go together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const some = waiting.splice(0, most);
      await round(some);
      if (linger > 0 && some.length > 1 && waiting.length < most) await pause(linger);
    }
    underWay = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      void run();
    });
}
