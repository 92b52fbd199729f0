/** How two things are measured so that what the machine does meanwhile meets both alike. */

/** One value a round of each. */
export interface SideBySide {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** Measures both in every round, in turns who begins: each gets the warmer and the colder place as often. */
export async function sideBySide<T = number>(
  rounds: number,
  ours: (round: number) => Promise<T>,
  theirs: (round: number) => Promise<T>,
): Promise<{ ours: T[]; theirs: T[] }> {
  const measured = { ours: [] as T[], theirs: [] as T[] };
  for (let round = 0; round < rounds; round += 1) {
    const order = [async () => measured.ours.push(await ours(round)), async () => measured.theirs.push(await theirs(round))];
    for (const measure of round % 2 === 0 ? order : order.reverse()) await measure();
  }
  return measured;
}

/** Ours over theirs, round by round. */
export const ratiosOf = ({ ours, theirs }: SideBySide): number[] => ours.map((value, round) => value / theirs[round]!);

/** Does all of it, so many at a time. */
export async function inFlight<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const hand = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, hand));
}

/** How many a second. */
export async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (count * 1_000) / (performance.now() - startedAt);
}

/** How long each took, in milliseconds. */
export async function durationsOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<number[]> {
  const durations: number[] = [];
  await inFlight(items, atOnce, async (item) => {
    const startedAt = performance.now();
    await work(item);
    durations.push(performance.now() - startedAt);
  });
  return durations;
}

/** The value below which so large a part of them is. */
export function quantile(part: number, values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
