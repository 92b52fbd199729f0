import { expect, test } from '@jest/globals';
import { Flood } from '../src/flood.js';

test('many ends at once hold killing up, for ten seconds at most, and then not for as long', async () => {
  let now = 0;
  const flood = new Flood(2, () => now);
  const finish: (() => void)[] = [];
  const arrive = () => flood.during(() => new Promise<void>((resolve) => finish.push(resolve)));
  const ends = [arrive(), arrive()];
  expect(flood.isHigh()).toBe(false);
  ends.push(arrive());
  const high = [0, 9_999, 10_000, 19_999, 20_000].map((at) => {
    now = at;
    return flood.isHigh();
  });
  expect(high).toEqual([true, true, false, false, true]);
  finish.forEach((each) => each());
  await Promise.all(ends);
  expect(flood.isHigh()).toBe(false);
});

test('an end that fails is no longer on its way', async () => {
  const flood = new Flood(0);
  await expect(flood.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(flood.isHigh()).toBe(false);
});
