/**
 * How much one task may use. What is not bounded is not named.
 * @module
 */

/** Bounds of one task; part of its workflow's registration. */
export interface Budgets {
  /** Calls that may be permitted. */
  readonly calls?: number | undefined;
  /** Rows that its callers may report. */
  readonly rows?: number | undefined;
  /** Bytes that its callers may report. */
  readonly bytes?: number | undefined;
  /** Credentials that may be minted. */
  readonly mints?: number | undefined;
}

/** What a task has used, and how often it was refused. */
export interface Usage {
  readonly calls: number;
  readonly rows: number;
  readonly bytes: number;
  /** Refused calls that count for its behaviour. */
  readonly refused: number;
}

/** Nothing yet. */
export const UNUSED: Usage = { calls: 0, rows: 0, bytes: 0, refused: 0 };

/** True when there is nothing left for one call more: what it would return is only known afterwards, so that a used-up bound is enough. */
export const isOverBudget = ({ calls, rows, bytes }: Usage, budgets: Budgets | undefined): boolean =>
  (
    [
      [calls, budgets?.calls],
      [rows, budgets?.rows],
      [bytes, budgets?.bytes],
    ] as const
  ).some(([used, bound]) => bound !== undefined && used >= bound);
