/**
 * How long it took from an end to the last sign of life, and what was going wrong meanwhile.
 */
import type { Outage } from './injector.ts';

/** One task's death. */
export interface Death {
  readonly taskId: string;
  readonly milliseconds: number;
  /** `healthy`: nothing was made to fail near it. */
  readonly under: 'healthy' | 'crashes' | 'outage';
}

/** Percentiles in milliseconds. */
export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function spreadOf(deaths: readonly Death[]): Spread {
  const sorted = deaths.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

/** How long servers were away between two moments, in milliseconds; overlaps count once. */
export function awayBetween(outages: readonly Outage[], from: number, until: number): number {
  const inside = outages
    .map((outage) => [Math.max(outage.from, from), Math.min(outage.until, until)] as const)
    .filter(([start, end]) => end > start)
    .sort(([a], [b]) => a - b);
  let total = 0;
  let reached = from;
  for (const [start, end] of inside) {
    total += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return total;
}
