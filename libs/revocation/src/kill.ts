/**
 * Killing one lease and proving it. What can be claimed at the end depends on the capability's shape, and nothing more is ever claimed.
 * @module
 */
import { MayflyError } from '@mayfly/domain';
import type { Killers } from './ports.js';
import type { Circumstances, Doomed, Verdict } from './reapers/reaper.js';
import { reaperOf } from './reapers/table.js';

const reaper = ({ credential: { spec } }: Doomed, killers: Killers) => spec && reaperOf(spec, killers);

/** First half: asks the secrets engine to revoke the lease and waits for it. Returns the code of what went wrong. */
export const strike = (one: Doomed, killers: Killers): Promise<string | undefined> =>
  problemOf(async () => reaper(one, killers)?.revoke(one));

/** Second half: looks whether it is true. */
export async function confirm(one: Doomed, killers: Killers, at: Circumstances): Promise<Verdict> {
  try {
    return (await reaper(one, killers)?.verify(one, at)) ?? { kind: 'alive', problem: 'no-specification' };
  } catch (error) {
    return { kind: 'alive', problem: codeOf(error) };
  }
}

/**
 * In between, where the secrets engine cannot: ends it at its target itself.
 * @returns how many principals there were; undefined where nothing can be done
 * @throws MayflyError `target-unavailable`
 */
export const quarantine = async (one: Doomed, killers: Killers, at: Circumstances, forgotten: boolean): Promise<number | undefined> =>
  reaper(one, killers)?.quarantine(one, at, forgotten);

/** Runs a call and returns the code of its failure, or undefined. */
export async function problemOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

const codeOf = (error: unknown): string => (error instanceof MayflyError ? error.code : 'unexpected');
