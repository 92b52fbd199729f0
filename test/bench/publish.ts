/** What is committed: docs/benchmarks.json holds runs, and docs/benchmarks.md shows them. */
import { format } from 'prettier';
import type { Commit } from './machine.ts';
import { markdownOf, type Report } from './report.ts';

const STYLE = { printWidth: 140, singleQuote: true } as const;
const BEGIN = '<!-- The runs begin: npm run bench -- --publish writes them. -->';
const END = '<!-- The runs end. -->';

const LEAST_ROUNDS = 5;

/**
 * Whether what is about to be measured may be published: in full, often enough for a median, of a commit that others can check out.
 * @throws TypeError saying what is missing
 */
export function mayBePublished({
  quick,
  rounds,
  commit,
}: {
  readonly quick: boolean;
  readonly rounds: number;
  readonly commit: Commit;
}): void {
  if (quick) throw new TypeError('--publish takes no --quick: what is published was measured in full');
  if (rounds < LEAST_ROUNDS) throw new TypeError(`--publish takes ${LEAST_ROUNDS} rounds at least, not ${rounds}`);
  if (commit.id === undefined) throw new TypeError('--publish has to name the commit that was measured, and git knows none');
  if (commit.changed)
    throw new TypeError('--publish measures a commit; what differs from it is to be committed or set aside before (git status)');
}

/** The committed runs with a new one: a row stands in the newest run that measured it. One that could not be measured is not published. */
export function withRun(published: readonly Report[], run: Report): Report[] {
  const measured = run.rows.filter(({ failure }) => failure === undefined);
  const anew = new Set(measured.map(({ id }) => id));
  const kept = published.map((earlier) => ({ ...earlier, rows: earlier.rows.filter(({ id }) => !anew.has(id)) }));
  return [...kept, { ...run, rows: measured }].filter(({ rows }) => rows.length > 0);
}

/**
 * The document with these runs in their place, formatted as everything else is.
 * @throws TypeError when the document has no place for them
 */
export async function withRuns(document: string, runs: readonly Report[]): Promise<string> {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new TypeError('the document lacks the two comments between which the runs stand');
  // Their titles stand below the document's own.
  const texts = runs.map((run) => markdownOf(run).replace('# Benchmark', `# Run of ${run.at}`).replace(/^#/gm, '##').trim());
  return format([`${before}${BEGIN}`, ...texts, `${END}${after}`].join('\n\n'), { ...STYLE, parser: 'markdown' });
}

/** The runs for programs, formatted as everything else is. */
export const jsonOf = (runs: readonly Report[]): Promise<string> => format(JSON.stringify(runs), { ...STYLE, parser: 'json' });
