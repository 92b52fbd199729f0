import { expect, test } from '@jest/globals';
import { AtTargets } from '../src/at-targets.js';

/** Begins so much at a target that ends only when it is told to. */
function crowd(atTargets: AtTargets, target: string | undefined, many: number) {
  const begun: (() => void)[] = [];
  const all = Array.from({ length: many }, () => atTargets.at(target, () => new Promise<void>((end) => begun.push(end))));
  return { begun, all: Promise.all(all) };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('at one target twelve leases are revoked side by side, and the next one when one of them is over', async () => {
  const { begun, all } = crowd(new AtTargets(), 'orders', 14);
  await settled();
  expect(begun).toHaveLength(12);
  begun[0]!();
  await settled();
  expect(begun).toHaveLength(13);
  for (let ended = 1; ended < 14; ended += 1) {
    begun[ended]!();
    await settled();
  }
  await all;
});

test('a target that hangs holds up neither another one nor what has no target', async () => {
  const atTargets = new AtTargets();
  crowd(atTargets, 'hangs', 40);
  const [other, none] = [crowd(atTargets, 'other', 12), crowd(atTargets, undefined, 40)];
  await settled();
  expect([other.begun.length, none.begun.length]).toEqual([12, 40]);
});

test('what fails gives its place back', async () => {
  const atTargets = new AtTargets();
  for (let tried = 0; tried < 20; tried += 1)
    await expect(atTargets.at('orders', () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});
