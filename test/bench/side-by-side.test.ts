import { describe, expect, test } from '@jest/globals';
import { inFlight, quantile, ratiosOf, sideBySide } from './side-by-side.ts';

describe('side by side', () => {
  test('both are measured in every round, in turns who begins', async () => {
    const order: string[] = [];
    const note = (who: string, value: number) => async (round: number) => (order.push(`${who}${round}`), value * (round + 1));
    const measured = await sideBySide(3, note('ours', 1), note('theirs', 2));
    expect(order).toEqual(['ours0', 'theirs0', 'theirs1', 'ours1', 'ours2', 'theirs2']);
    expect(measured).toEqual({ ours: [1, 2, 3], theirs: [2, 4, 6] });
    expect(ratiosOf(measured)).toEqual([0.5, 0.5, 0.5]);
  });

  test('never more at a time than was said, and all of it is done once', async () => {
    let now = 0;
    let most = 0;
    const done: number[] = [];
    await inFlight([...Array(50).keys()], 4, async (item) => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      done.push(item);
    });
    expect(most).toBe(4);
    expect(done.sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
  });

  test('a quantile is a value that was measured', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.99, 1].map((part) => quantile(part, values))).toEqual([50, 99, 100]);
    expect(quantile(0.5, [])).toBeNaN();
  });
});
