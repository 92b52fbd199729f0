import { describe, expect, test } from '@jest/globals';
import { isOverBudget, UNUSED, type Budgets, type Usage } from '@mayfly/grant';

describe('a budget', () => {
  const used: Usage = { calls: 10, rows: 20, bytes: 30, refused: 40 };

  test.each<[string, Budgets | undefined, boolean]>([
    ['nothing is bounded', undefined, false],
    ['no bound is named', {}, false],
    ['every bound is larger', { calls: 11, rows: 21, bytes: 31 }, false],
    ['the calls are used up', { calls: 10, rows: 21, bytes: 31 }, true],
    ['the rows are used up', { calls: 11, rows: 20, bytes: 31 }, true],
    ['the bytes are used up', { calls: 11, rows: 21, bytes: 30 }, true],
    ['only one thing is bounded, and passed', { bytes: 29 }, true],
    ['nothing at all is allowed', { calls: 0 }, true],
    ['only mints are bounded: no call is one', { mints: 0 }, false],
  ])('%s', (_, budgets, over) => {
    expect(isOverBudget(used, budgets)).toBe(over);
  });

  test('a new task has used nothing, and has a call left where one is allowed', () => {
    expect(UNUSED).toEqual({ calls: 0, rows: 0, bytes: 0, refused: 0 });
    expect(isOverBudget(UNUSED, { calls: 1, rows: 1, bytes: 1 })).toBe(false);
  });
});
