/** Measures rows one after the other; what one cannot do does not keep the others from being measured. */
import { BenchStack, type StackOptions } from './bench-stack.ts';
import { versionsOf } from './machine.ts';
import type { Outcome } from './report.ts';
import type { Bench, Row } from './row.ts';

export interface RunOptions {
  readonly quick: boolean;
  readonly rounds: number;
  readonly seed: number;
  readonly profiles?: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export async function runRows(rows: readonly Row[], { quick, rounds, seed, profiles, say, signal }: RunOptions) {
  const outcomes: Outcome[] = [];
  let versions: Record<string, string> = {};
  let common: Promise<BenchStack> | undefined;
  const running: BenchStack[] = [];
  const start = async (options: StackOptions): Promise<BenchStack> => {
    const stack = await BenchStack.start({ signal, ...(profiles && { profiles }), ...options });
    running.push(stack);
    say('Mayfly is up');
    versions = await versionsOf(stack);
    return stack;
  };
  const stop = async (stacks: readonly BenchStack[]): Promise<void> => {
    for (const stack of stacks) {
      running.splice(running.indexOf(stack), 1);
      await stack.stop();
    }
  };
  try {
    for (const row of rows) {
      const before = new Set(running);
      const bench: Bench = {
        quick,
        rounds,
        seed,
        say: (line) => say(`${row.id}: ${line}`),
        stack: () => (common ??= start({})),
        // Two stacks side by side would measure each other.
        ownStack: async (options = {}) => {
          if (common) await stop([await common]);
          common = undefined;
          return start(options);
        },
      };
      const startedAt = performance.now();
      const tookSeconds = (): number => (performance.now() - startedAt) / 1_000;
      say(`${row.id}: ${row.what}`);
      try {
        const result = await row.measure(bench);
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
  }
  return { outcomes, versions };
}
