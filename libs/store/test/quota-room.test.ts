import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ADMITTED_PER_MS, FRESH_MS, NEAR, quotaRoom } from '../src/quota-room.js';

test('what this process may add uncounted and what all others can admit meanwhile fit under the bound', () => {
  const size = fc.integer({ min: 0, max: 2_000_000 });
  fc.assert(
    fc.property(size, size, (counted, limit) => {
      const { freshMs, below } = quotaRoom(counted, limit);
      if (freshMs === FRESH_MS && counted < limit * NEAR) expect(below).toBeLessThanOrEqual(Math.max(limit * NEAR, (counted + limit) / 2));
      else expect(below + freshMs * ADMITTED_PER_MS).toBeLessThanOrEqual(Math.max(limit, 0));
    }),
  );
});

test.each([
  ['far from a small bound a count does for a second, up to its half', 10, 2_000, { freshMs: 1_000, below: 1_000 }],
  ['far from a large bound, for as long as the half of it lasts', 0, 1_000_000, { freshMs: 25_000, below: 500_000 }],
  ['past the half of a large bound, for as long as half of the rest lasts', 100_000, 150_000, { freshMs: 1_250, below: 125_000 }],
  ['near a bound each start is counted', 149_000, 150_000, { freshMs: 0, below: 0 }],
  ['past the half of a small bound too', 1_001, 2_000, { freshMs: 0, below: 0 }],
  ['where nothing is left too', 2_000, 2_000, { freshMs: 0, below: 0 }],
  ['and where there is more than the bound, since it was lowered', 3_000, 2_000, { freshMs: 0, below: 0 }],
])('%s', (_, counted, limit, room) => {
  expect(quotaRoom(counted, limit)).toEqual(room);
});
