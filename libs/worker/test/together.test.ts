import { expect, test } from '@jest/globals';
import { together } from '@mayfly/worker';

test('what arrives while a round is under way is done in the next one, each with its own result', async () => {
  const rounds: number[][] = [];
  const double = together<number, number>({
    most: 10,
    work: async (items) => {
      rounds.push([...items]);
      await new Promise((resolve) => setImmediate(resolve));
      return items.map((item) => item * 2);
    },
  });
  const first = double(1);
  await Promise.resolve().then(() => Promise.resolve());
  const rest = [2, 3, 4].map(double);
  expect(await Promise.all([first, ...rest])).toEqual([2, 4, 6, 8]);
  expect(rounds).toEqual([[1], [2, 3, 4]]);
});

test('a round is no larger than said', async () => {
  const sizes: number[] = [];
  const one = together<number, number>({ most: 3, work: (items) => (sizes.push(items.length), Promise.resolve([...items])) });
  await Promise.all(Array.from({ length: 8 }, (_, item) => one(item)));
  expect(sizes).toEqual([3, 3, 2]);
});

test('one that fails does not fail its neighbours', async () => {
  const one = together<number, number>({
    most: 10,
    work: (items) => (items.includes(2) ? Promise.reject(new Error('two')) : Promise.resolve([...items])),
  });
  const [a, b, c] = await Promise.allSettled([1, 2, 3].map(one));
  expect([a!.status, b!.status, c!.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await one(4)).toBe(4);
});

test('what is of no use one by one fails together', async () => {
  let rounds = 0;
  const away = new Error('away');
  const one = together<number, number>({
    most: 10,
    work: () => ((rounds += 1), Promise.reject(away)),
    apart: (error) => error !== away,
  });
  const ended = await Promise.allSettled([1, 2, 3].map(one));
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(rounds).toBe(1);
});

test('a lone one never waits for others', async () => {
  // Whoever waited would wait for longer than a test may last.
  const one = together<number, number>({ most: 10, linger: 3_600_000, work: (items) => Promise.resolve([...items]) });
  expect([await one(1), await one(2)]).toEqual([1, 2]);
});

test('where some came together, the next are waited for', async () => {
  const rounds: number[][] = [];
  const one = together<number, number>({ most: 10, linger: 50, work: (items) => (rounds.push([...items]), Promise.resolve([...items])) });
  await Promise.all([one(1), one(2)]);
  const third = one(3);
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([third, one(4)]);
  expect(rounds).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
