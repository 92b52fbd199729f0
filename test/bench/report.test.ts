import { describe, expect, test } from '@jest/globals';
import { markdownOf, median, reached, reportOf, short, type Outcome } from './report.ts';
import type { Ratio, Row } from './row.ts';

const ratio = (rounds: readonly number[], goal: Ratio['goal']): Ratio => ({ name: 'rate', rounds, goal });
const row: Row = { id: 'B1', what: 'starts', against: 'bare', reach: '≥ 0.5', measure: () => Promise.reject(new Error('not here')) };
const run = {
  at: '2026-11-23T03:00:00.000Z',
  seed: 7,
  rounds: 3,
  quick: false,
  machine: { cores: 2, cpu: 'some', memoryGiB: 8, loadBefore: [1, 1, 1], loadAfter: [2, 1, 1], versions: { node: '24.0.0' } },
};

describe('the report', () => {
  test('a median is the middle of an odd count, and between the two in the middle of an even one, whatever their order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([2])).toBe(2);
  });

  test('a goal is held against the median: one good round reaches nothing, one bad one misses nothing', () => {
    expect(reached(ratio([0.1, 0.2, 9], { atLeast: 0.5 }))).toBe(false);
    expect(reached(ratio([0.1, 0.6, 0.7], { atLeast: 0.5 }))).toBe(true);
    expect(reached(ratio([2.5, 9, 1], { atMost: 2.5 }))).toBe(true);
    expect(reached(ratio([2.6, 2.6, 1], { atMost: 2.5 }))).toBe(false);
  });

  test('what has to hold in every round is held against the worst of them', () => {
    const calls = { ...ratio([0, 0, 48], { atMost: 0 }), inEveryRound: true } as const;
    expect(reached(calls)).toBe(false);
    expect(reached({ ...calls, rounds: [0, 0, 0] })).toBe(true);
    expect(reached({ ...calls, rounds: [] })).toBe(false);
    expect(reached({ ...calls, rounds: [0, Number.NaN] })).toBe(false);
    const report = reportOf(run, [{ row, seconds: 1, result: { figures: [], ratios: [calls] } }]);
    expect(markdownOf(report)).toContain('| B1 | rate | 0 (0–48) | ≤ 0 in every round | **no** |');
  });

  test('what is no number has reached nothing', () => {
    expect(reached(ratio([Number.NaN], { atLeast: 0 }))).toBe(false);
    expect(reached(ratio([], { atMost: 1 }))).toBe(false);
  });

  test('numbers are as long as they mean something', () => {
    expect([1234.6, 0.012345, 12.34, Number.NaN].map(short)).toEqual(['1235', '0.0123', '12.3', '–']);
  });

  test('it tells each ratio with its spread and whether it was reached, and each round of each figure', () => {
    const outcome: Outcome = {
      row,
      seconds: 12.4,
      result: {
        figures: [{ name: 'ours', unit: 'tasks/s', rounds: [100, 300, 200] }],
        ratios: [{ ...ratio([0.4, 0.6, 0.5], { atLeast: 0.55 }), aim: 0.8 }],
        notes: ['counted by the ledger'],
      },
    };
    const report = reportOf(run, [outcome]);
    expect(report.rows[0]).toMatchObject({ seconds: 12, figures: [{ median: 200, least: 100, most: 300 }], ratios: [{ reached: false }] });
    const text = markdownOf(report);
    expect(text).toContain('| B1 | rate | 0.5 (0.4–0.6) | ≥ 0.55; aim 0.8 | **no** |');
    expect(text).toContain('| ours, tasks/s | 200 (100–300) | 100 300 200 |');
    expect(text).toContain('- counted by the ledger');
  });

  test('quick, it says what was measured, not what a whole run measures', () => {
    const named = { ...row, whatQuick: 'few starts' };
    const whatWhen = (quick: boolean) => reportOf({ ...run, quick }, [{ row: named, seconds: 1, failure: 'no' }]).rows[0]?.what;
    expect([whatWhen(true), whatWhen(false)]).toEqual(['few starts', 'starts']);
  });

  test('a row that could not be measured is told with its reason', () => {
    const report = reportOf(run, [{ row, seconds: 1, failure: 'Vault is away' }]);
    expect(markdownOf(report)).toMatch(/\| B1 \| starts \| not measured \|[^]*Not measured: Vault is away/);
  });
});
