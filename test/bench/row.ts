/** What a row of the benchmark is: something of ours beside what it is measured against, on the same machine in the same minutes. */
import type { BenchStack, StackOptions } from './bench-stack.ts';

/** One row. Each file in `rows/` has one as its default export. */
export interface Row {
  /** `B1` and so on. */
  readonly id: string;
  readonly what: string;
  /** The same with the counts of `--quick`, where they are part of it. */
  readonly whatQuick?: string;
  readonly against: string;
  readonly reach: string;
  /** @throws Error when it could not be measured; the report says so and the run fails */
  measure(bench: Bench): Promise<RowResult>;
}

export interface RowResult {
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
  /** Whatever a reader has to know to judge them: what was counted, what was scaled down. */
  readonly notes?: readonly string[];
}

/** One quantity, a value a round. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly rounds: readonly number[];
}

/** Ours against theirs, one ratio a round: both were measured side by side in it. */
export interface Ratio {
  readonly name: string;
  readonly rounds: readonly number[];
  /** Held against the median, or against the worst round. */
  readonly goal: Goal;
  /** What has to hold in every round, not as a rule: nothing twice, nothing asked, nothing scanned. */
  readonly inEveryRound?: true;
  /** What would be better still. */
  readonly aim?: number;
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** What a row measures with. */
export interface Bench {
  /** Smaller counts, so that all rows together take some minutes. */
  readonly quick: boolean;
  readonly rounds: number;
  readonly seed: number;
  /** Aborts when somebody ends the run. */
  readonly signal: AbortSignal;
  say(line: string): void;
  /** The stack of all rows that need none of their own; started when the first asks for it. */
  stack(): Promise<BenchStack>;
  /**
   * One that nobody else uses; it ends when the row is through. Quick, it is the one of all rows, with what they have left behind, wherever no
   * replicas are asked for.
   */
  ownStack(options?: StackOptions): Promise<BenchStack>;
}
