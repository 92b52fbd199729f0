import { expect, test } from '@jest/globals';
import type { Claimed } from '@mayfly/store';
import { WaitingMints } from '../src/waiting-mints.js';

const claimed = (claim: number, tenant = 'one') => ({ claim, grant: { tenant } }) as Claimed;
const numbers = (claims: readonly Claimed[]) => claims.map(({ claim }) => claim);

function waitingBeside(ledger: Claimed[]) {
  const clock = { now: 0, looks: 0 };
  const waiting = new WaitingMints(
    async (limit) => ((clock.looks += 1), ledger.splice(0, limit)),
    () => clock.now,
  );
  return { clock, waiting };
}

test('what waits here comes in its order; the ledger is asked where nothing does', async () => {
  const { waiting } = waitingBeside([claimed(9)]);
  expect(numbers(await waiting.take(4))).toEqual([9]);
  for (const claim of [1, 2, 3]) expect(waiting.put(claimed(claim))).toBe(true);
  expect(numbers(await waiting.take(2))).toEqual([1, 2]);
  expect(numbers(await waiting.take(2))).toEqual([3]);
  expect(waiting.empty).toBe(true);
});

test('tenants take turns: whoever has many waiting holds up nobody else', async () => {
  const { waiting } = waitingBeside([]);
  await waiting.take(1);
  for (let claim = 1; claim <= 9; claim += 1) waiting.put(claimed(claim, 'many'));
  waiting.put(claimed(10, 'one'));
  waiting.put(claimed(11, 'two'));
  expect(numbers(await waiting.take(2))).toEqual([1, 10]);
  expect(numbers(await waiting.take(4))).toEqual([11, 2, 3, 4]);
  expect(numbers(await waiting.take(9))).toEqual([5, 6, 7, 8, 9]);
  expect(waiting.empty).toBe(true);
});

test('however many wait here, the ledger has the first places twice a second', async () => {
  const { clock, waiting } = waitingBeside([claimed(9), claimed(8)]);
  for (let claim = 1; claim <= 6; claim += 1) waiting.put(claimed(claim));
  expect(numbers(await waiting.take(3))).toEqual([9, 8, 1]);
  expect(numbers(await waiting.take(2))).toEqual([2, 3]);
  expect(clock.looks).toBe(1);
  clock.now = 500;
  expect(numbers(await waiting.take(1))).toEqual([4]);
  expect(clock.looks).toBe(2);
});

test('a claim for which there is no room is given back by who has it', () => {
  const { waiting } = waitingBeside([]);
  for (let claim = 0; claim < 1_024; claim += 1) expect(waiting.put(claimed(claim))).toBe(true);
  expect(waiting.put(claimed(1_024))).toBe(false);
});
