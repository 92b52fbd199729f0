/** `npm run bench`: what is fast, what limits it, and by how much: ours and what it is held against side by side. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { root } from '../../deploy/local/layout.mjs';
import { allRows, chosen } from './choose-rows.ts';
import { commitNow, loadNow, machineOf } from './machine.ts';
import { jsonOf, mayBePublished, withRun, withRuns } from './publish.ts';
import { markdownOf, reportOf, type Report } from './report.ts';
import { runRows } from './run-rows.ts';

const USAGE = `npm run bench -- [--rows B1,B3] [--quick] [--rounds N] [--seed S] …

Starts a Mayfly of its own with traces sampled at 10 % and measures row by row, in alternating rounds, ours beside what it is held against:
bare calls of the same OpenBao, the same by hand, itself at another size. Only ratios of one run mean something on a machine that others use.

  --rows LIST     which rows (default: all)
  --quick         smaller counts, two rounds and one stack for nearly all rows: on a quiet machine three minutes,
                  not an hour
  --rounds N      alternating rounds (default 5)
  --seed S        stands in the names of the tasks, and changes nothing else (default: drawn, and printed)
  --profiles DIR  each service leaves a CPU profile there
  --json FILE     write the report there as well
  --publish       put the rows that were measured into docs/benchmarks.md and docs/benchmarks.json; of a commit with nothing changed,
                  in full, 5 rounds at least
  --strict        a goal that was missed is a failure
  --help          this text

Prints Markdown and writes .mayfly/bench/report.md and report.json. Exit 0: all rows were measured; 1: one was not; 2: wrong usage; 130: ended by Ctrl-C, after all that it had started.`;

const options = {
  rows: { type: 'string' },
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  profiles: { type: 'string' },
  json: { type: 'string' },
  publish: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const began = Date.now();
/** Progress is for who waits; what counts goes to standard output. */
const say = (line: string): void => console.error(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { quick, strict } = values;
  const seed = wholeNumber('seed', values.seed);
  const rounds = wholeNumber('rounds', values.rounds ?? (quick ? '2' : '5'));
  if (rounds === 0) throw new TypeError('--rounds has to be 1 at least');
  const rows = chosen(await allRows(), values.rows);
  const commit = commitNow();
  // Better now than after an hour.
  if (values.publish) {
    mayBePublished({ quick, rounds, commit });
    PUBLISHED.forEach(writable);
  }
  const folder = join(root, '.mayfly', 'bench');
  mkdirSync(folder, { recursive: true });
  const files = [join(folder, 'report.json'), ...(values.json === undefined ? [] : [resolve(values.json)])];
  [join(folder, 'report.md'), ...files].forEach(writable);
  say(`seed ${seed}`);
  const loadBefore = loadNow();
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!ending.signal.aborted) say('ending what was started');
      ending.abort(new Ended(signal));
    });
  }
  const profiles = values.profiles === undefined ? {} : { profiles: resolve(values.profiles) };
  const { outcomes, versions } = await runRows(rows, { quick, rounds, seed, say, signal: ending.signal, ...profiles });
  const at = new Date().toISOString();
  const report = reportOf({ at, seed, rounds, quick, machine: machineOf(loadBefore, commit, versions) }, outcomes);
  const markdown = markdownOf(report);
  // First to who waits: a disk may have become full meanwhile.
  console.log(markdown);
  writeFileSync(join(folder, 'report.md'), markdown);
  for (const file of files) writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  if (values.publish) await publish(report);
  const missed = report.rows.some(({ ratios = [] }) => ratios.some((ratio) => !ratio.reached));
  return report.rows.some(({ failure }) => failure !== undefined) || (strict && missed) ? 1 : 0;
}

/** @throws TypeError when nothing can be written there */
function writable(file: string): void {
  const isNew = !existsSync(file);
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    throw new TypeError(`${file} cannot be written: ${(error as Error).message}`, { cause: error });
  }
  if (isNew) rmSync(file);
}

/** The page, and what it shows. */
const PUBLISHED = [join(root, 'docs', 'benchmarks.md'), join(root, 'docs', 'benchmarks.json')] as const;

async function publish(report: Report): Promise<void> {
  const [document, data] = PUBLISHED;
  const runs = withRun(JSON.parse(readFileSync(data, 'utf8')) as Report[], report);
  writeFileSync(document, await withRuns(readFileSync(document, 'utf8'), runs));
  writeFileSync(data, await jsonOf(runs));
}

/** Somebody has had enough: as a shell says it, 128 and the signal's number. */
class Ended extends Error {
  readonly code: number;

  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') {
    super(`ended by ${signal}; nothing was reported`);
    this.code = 128 + constants.signals[signal];
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${name} is a whole number, not ${text}`);
  return Number(text);
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return error instanceof Ended ? error.code : error instanceof TypeError ? 2 : 1;
});
// Connections of the stack may linger.
setTimeout(() => process.exit(), 1_000).unref();
