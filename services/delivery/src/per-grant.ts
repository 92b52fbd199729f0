/**
 * Doing something for fetches of many grants at a time, under the grants' locks.
 * @module
 */
import { ledgerAnswered } from '@mayfly/domain';
import { together } from '@mayfly/worker';
import type { Fetch } from './fetch.js';

/** Most fetches of one statement. */
export const SHARED = { most: 32, apart: ledgerAnswered };
/** What a function of many at a time says of one whose grant somebody else holds: it is done again, waiting, beside the others. */
export const BUSY = Symbol('busy');

/** What one of many came to: done, refused, or somebody else holds its grant. */
export type Each<Result> = { readonly done: Result } | { readonly refused: unknown } | typeof BUSY;
type Many<Result> = (fetches: readonly Fetch[], busy: 'wait' | 'skip') => Promise<Each<Result>[]>;

/** Fetches of different grants go together. Of one grant they come one after the other, and who finds it held waits alone: nobody for his neighbour. */
export function perGrant<Result>(many: Many<Result>): (fetch: Fetch) => Promise<Result> {
  const one = together<Fetch, Each<Result>>({
    ...SHARED,
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
