/** Measures rows one after the other; what one cannot do does not keep the others from being measured. */
import { setTimeout as pause } from 'node:timers/promises';
import { BenchStack, type StackOptions } from './bench-stack.ts';
import { versionsOf } from './machine.ts';
import { whatOf, type Outcome } from './report.ts';
import type { Bench, Row } from './row.ts';

const PATIENCE_MS = 30_000;

export interface RunOptions {
  readonly quick: boolean;
  readonly rounds: number;
  readonly seed: number;
  readonly profiles?: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Quick, rows share a stack. Who changes its policy set comes first, while nothing lives that it touches; who fills it or needs others comes last. */
const QUICK_ORDER = ['B7', 'B1', 'B2', 'B3', 'B4', 'B5', 'B10', 'B8', 'B6', 'B9'];

export async function runRows(rows: readonly Row[], { quick, rounds, seed, profiles, say, signal }: RunOptions) {
  const outcomes: Outcome[] = [];
  let versions: Record<string, string> = {};
  let common: Promise<BenchStack> | undefined;
  const running: BenchStack[] = [];
  let measuring: Promise<unknown> = Promise.resolve();
  const ended = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  ended.catch(() => {});
  const start = async (options: StackOptions): Promise<BenchStack> => {
    const stack = await BenchStack.start({ signal, ...(profiles && { profiles }), ...options });
    if (signal.aborted) {
      await stack.stop();
      throw signal.reason;
    }
    running.push(stack);
    say('Mayfly is up');
    versions = await versionsOf(stack);
    return stack;
  };
  // Quick, one for each round of B6 beside the one of all rows.
  const shared = (): Promise<BenchStack> => (common ??= start(quick ? { tenants: rounds + 1 } : {}));
  const stop = async (stacks: readonly BenchStack[]): Promise<void> => {
    for (const stack of stacks) {
      running.splice(running.indexOf(stack), 1);
      await stack.stop();
    }
  };
  try {
    for (const row of quick ? rows.toSorted((a, b) => QUICK_ORDER.indexOf(a.id) - QUICK_ORDER.indexOf(b.id)) : rows) {
      const before = new Set(running);
      const bench: Bench = {
        quick,
        rounds,
        seed,
        signal,
        say: (line) => say(`${row.id}: ${line}`),
        stack: shared,
        ownStack: async (options = {}) => {
          if (quick && !options.replicas) return shared();
          // Two stacks side by side would measure each other.
          await stop([...running]);
          common = undefined;
          return start(options);
        },
      };
      const startedAt = performance.now();
      const tookSeconds = (): number => (performance.now() - startedAt) / 1_000;
      say(`${row.id}: ${whatOf(row, quick)}`);
      try {
        const measured = row.measure(bench);
        measuring = measured;
        const result = await Promise.race([measured, ended]);
        outcomes.push({ row, seconds: tookSeconds(), result });
      } catch (error) {
        if (signal.aborted) throw error;
        const failure = error instanceof Error ? error.message : String(error);
        say(`${row.id}: not measured: ${failure}`);
        outcomes.push({ row, seconds: tookSeconds(), failure });
      }
      const kept = common === undefined ? undefined : await common.catch(() => (common = undefined));
      await stop(running.filter((stack) => !before.has(stack) && stack !== kept));
    }
  } finally {
    await stop([...running]);
    // What a row was starting, and what it started itself, ends with it.
    await Promise.race([measuring.catch(() => {}), pause(PATIENCE_MS, undefined, { ref: false })]);
  }
  return { outcomes: outcomes.toSorted((a, b) => rows.indexOf(a.row) - rows.indexOf(b.row)), versions };
}
