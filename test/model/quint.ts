/** Runs Quint on the model. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const QUINT = fileURLToPath(new URL('../../node_modules/@informalsystems/quint/dist/src/cli.js', import.meta.url));
/** Longer than any story: its faults, and the drain. */
const STEPS = '400';

/** The text of one of the model's files. */
export const source = (file: 'mayfly' | 'explored'): string => readFileSync(join(FOLDER, `${file}.qnt`), 'utf8');

/** Names of the definitions that begin with this letter: `I` invariants, `W` what must be reached. */
export const named = (letter: 'I' | 'W'): string[] =>
  [...source('explored').matchAll(new RegExp(`^  val (${letter}\\d?_\\w+)`, 'gm'))].map(([, name]) => name!);

/** One text of the model and what stands there instead. */
export type Change = readonly [from: string, to: string];

/** What an exploration came to. */
export interface Explored {
  readonly violated: readonly string[];
  /** How many traces reached it, by name. */
  readonly witnessed: Readonly<Record<string, number>>;
  readonly output: string;
}

/** Explores the model, changed where asked; stops at the first world in which something does not hold. */
export async function explore(
  { samples, seed, invariants = named('I') }: { samples: number; seed: number; invariants?: readonly string[] },
  changes: readonly Change[] = [],
): Promise<Explored> {
  const found = await inCopy(changes, (folder) => {
    const witnesses = changes.length > 0 ? [] : ['--witnesses', ...named('W')];
    return run(folder, samples, seed, '--invariants', ...invariants, ...witnesses);
  });
  return {
    output: found,
    violated: invariants.filter(
      (name) => new RegExp(`❌ ${name}\\b`).test(found) || (invariants.length === 1 && found.includes('[violation]')),
    ),
    witnessed: Object.fromEntries([...found.matchAll(/^(W_\w+) was witnessed in (\d+)/gm)].map(([, name, count]) => [name, Number(count)])),
  };
}

/** Traces in the Informal Trace Format, as they were written. */
export const traces = (count: number, seed: number): Promise<string[]> =>
  inCopy([], async (folder) => {
    await run(folder, count, seed, '--n-traces', String(count), '--out-itf', join(folder, 'trace_{seq}.itf.json'));
    return readdirSync(folder)
      .filter((name) => name.endsWith('.itf.json'))
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  });

async function inCopy<T>(changes: readonly Change[], work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-model-'));
  try {
    cpSync(join(FOLDER, 'explored.qnt'), join(folder, 'explored.qnt'));
    writeFileSync(join(folder, 'mayfly.qnt'), changed(source('mayfly'), changes));
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @throws TypeError for a text that is not there exactly once */
function changed(text: string, changes: readonly Change[]): string {
  return changes.reduce((before, [from, to]) => {
    if (before.split(from).length !== 2) throw new TypeError(`not exactly once in the model: ${from}`);
    return before.replace(from, () => to);
  }, text);
}

/** A violation is an answer, not a failure; anything else that ends Quint is. */
function run(folder: string, samples: number, seed: number, ...more: string[]): Promise<string> {
  const args = [
    'run',
    join(folder, 'explored.qnt'),
    '--backend=typescript',
    '--verbosity=1',
    '--max-steps',
    STEPS,
    '--max-samples',
    String(samples),
    '--seed',
    String(seed),
  ];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [QUINT, ...args, ...more], { maxBuffer: 1 << 26 }, (error, out, err) => {
      const text = `${out}\n${err}`;
      if (error && !text.includes('[violation]')) reject(new Error(text.slice(-2_000), { cause: error }));
      else resolve(text);
    });
  });
}
