/** What the benchmark says, for people (Markdown) and for programs (JSON). */
import type { Figure, Ratio, Row, RowResult } from './row.ts';
import type { Machine } from './machine.ts';

/** What came of one row. */
export type Outcome = { readonly row: Row; readonly seconds: number } & ({ readonly result: RowResult } | { readonly failure: string });

export interface Report {
  readonly at: string;
  readonly seed: number;
  readonly rounds: number;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly rows: readonly RowReport[];
}

export interface RowReport {
  readonly id: string;
  readonly what: string;
  readonly against: string;
  readonly reach: string;
  readonly seconds: number;
  readonly failure?: string;
  readonly figures?: readonly (Figure & Middle)[];
  readonly ratios?: readonly (Ratio & Middle & { readonly reached: boolean })[];
  readonly notes?: readonly string[];
}

interface Middle {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Of the two in the middle, their mean. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

const middleOf = (rounds: readonly number[]): Middle => ({ median: median(rounds), least: Math.min(...rounds), most: Math.max(...rounds) });

/** The median counts, or, of what has to hold in every round, each. What is no number has not reached anything. */
export const reached = ({ rounds, goal, inEveryRound }: Ratio): boolean => {
  const judged = inEveryRound && rounds.length > 0 ? rounds : [median(rounds)];
  return judged.every((value) => ('atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost));
};

export function reportOf(run: Omit<Report, 'rows'>, outcomes: readonly Outcome[]): Report {
  return { ...run, rows: outcomes.map((outcome) => rowReport(outcome, run.quick)) };
}

/** What a row measures in this run. */
export const whatOf = ({ what, whatQuick = what }: Row, quick: boolean): string => (quick ? whatQuick : what);

function rowReport({ row, seconds, ...outcome }: Outcome, quick: boolean): RowReport {
  const { id, against, reach } = row;
  const about = { id, what: whatOf(row, quick), against, reach, seconds: Math.round(seconds) };
  if ('failure' in outcome) return { ...about, failure: outcome.failure };
  const { figures, ratios, notes } = outcome.result;
  return {
    ...about,
    figures: figures.map((figure) => ({ ...figure, ...middleOf(figure.rounds) })),
    ratios: ratios.map((ratio) => ({ ...ratio, ...middleOf(ratio.rounds), reached: reached(ratio) })),
    ...(notes && { notes }),
  };
}

/** Three figures that mean something; whole numbers above a hundred. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

const spread = ({ median, least, most }: Middle): string => `${short(median)} (${short(least)}–${short(most)})`;
const goalText = ({ goal, aim, inEveryRound }: Ratio): string =>
  `${'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`}${inEveryRound ? ' in every round' : ''}${aim === undefined ? '' : `; aim ${aim}`}`;

export function markdownOf({ at, seed, rounds, quick, machine, rows }: Report): string {
  const { cores, cpu, memoryGiB, loadBefore, loadAfter, versions } = machine;
  return [
    '# Benchmark',
    '',
    `${at}, seed ${seed}, ${rounds} rounds${quick ? ', quick: smaller counts' : ''}. Medians, in brackets the least and the most of all rounds.`,
    `Machine: ${cores} cores (${cpu}), ${short(memoryGiB)} GiB, load ${loadBefore.map(short).join(' ')} before and ${loadAfter.map(short).join(' ')} after.`,
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    '| # | what | ratio | goal | reached |',
    '| --- | --- | --- | --- | --- |',
    ...rows.flatMap(summaryOf),
    ...rows.flatMap(sectionOf),
    '',
  ].join('\n');
}

function summaryOf({ id, what, failure, ratios = [] }: RowReport): string[] {
  if (failure !== undefined) return [`| ${id} | ${what} | not measured | | no |`];
  return ratios.map((ratio) => `| ${id} | ${ratio.name} | ${spread(ratio)} | ${goalText(ratio)} | ${ratio.reached ? 'yes' : '**no**'} |`);
}

function sectionOf({ id, what, against, reach, seconds, failure, figures = [], ratios = [], notes = [] }: RowReport): string[] {
  const head = ['', `## ${id}: ${what}`, '', `Against: ${against}. Reach: ${reach}. Took ${seconds} s.`, ''];
  if (failure !== undefined) return [...head, `Not measured: ${failure}`];
  return [
    ...head,
    '| figure | median (least–most) | rounds |',
    '| --- | --- | --- |',
    ...[...figures, ...ratios.map((ratio) => ({ ...ratio, unit: 'ratio' }))].map(
      ({ name, unit, ...figure }) => `| ${name}, ${unit} | ${spread(figure)} | ${figure.rounds.map(short).join(' ')} |`,
    ),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : []),
  ];
}
