import { describe, expect, test } from '@jest/globals';
import { plusSeconds } from '@mayfly/domain';
import { credentialState, deadlineOf, refuseDelegation, ttlOf, type GrantState } from '@mayfly/grant';
import fc from 'fast-check';

const time = fc.date({ min: new Date('2026-01-01T00:00:00Z'), max: new Date('2027-01-01T00:00:00Z'), noInvalidDate: true });
const seconds = fc.integer({ min: 1, max: 1_000_000 });

describe('a deadline', () => {
  test('a wish or a parent only ever shortens it', () => {
    fc.assert(
      fc.property(
        time,
        seconds,
        fc.option(time, { nil: undefined }),
        fc.option(time, { nil: undefined }),
        (start, longest, wish, parent) => {
          const deadline = deadlineOf(start, longest, wish, parent);
          const alone = deadlineOf(start, longest);
          expect(alone).toEqual(plusSeconds(start, longest));
          expect(deadline.getTime()).toBeLessThanOrEqual(alone.getTime());
          if (wish) expect(deadline.getTime()).toBeLessThanOrEqual(wish.getTime());
          if (parent) expect(deadline.getTime()).toBeLessThanOrEqual(parent.getTime());
          expect([alone, wish, parent]).toContainEqual(deadline);
        },
      ),
    );
  });
});

describe('the life of a lease', () => {
  const any = fc.tuple(fc.option(seconds, { nil: undefined }), seconds, time, time);

  test('is at least a second, and beyond that at most the wish, the catalogue’s limit and what is left', () => {
    fc.assert(
      fc.property(any, ([wish, limit, now, deadline]) => {
        const ttl = ttlOf(wish === undefined ? {} : { ttlSeconds: wish }, { maxTtlSeconds: limit }, now, deadline);
        expect(Number.isInteger(ttl)).toBe(true);
        expect(ttl).toBeGreaterThanOrEqual(1);
        expect(ttl).toBeLessThanOrEqual(limit);
        if (wish !== undefined) expect(ttl).toBeLessThanOrEqual(wish);
        if (ttl > 1) expect(plusSeconds(now, ttl).getTime()).toBeLessThanOrEqual(deadline.getTime());
      }),
    );
  });

  test('a wish never lengthens it', () => {
    fc.assert(
      fc.property(any, ([wish, limit, now, deadline]) => {
        const without = ttlOf({}, { maxTtlSeconds: limit }, now, deadline);
        expect(ttlOf({ ttlSeconds: wish ?? limit * 2 }, { maxTtlSeconds: limit }, now, deadline)).toBeLessThanOrEqual(without);
      }),
    );
  });
});

describe('a sub-task', () => {
  const parent = { state: 'granted' as GrantState, tenant: 'default', permittedCapabilities: ['orders-db.read'] };

  test('gets at most what its live parent of the same tenant was permitted', () => {
    expect(refuseDelegation(parent, 'default', 'orders-db.read')).toBeUndefined();
    expect(refuseDelegation(parent, 'default', 'orders-db.write')).toBe('exceeds-parent');
    expect(refuseDelegation(parent, 'other', 'orders-db.read')).toBe('parent-not-live');
    expect(refuseDelegation(undefined, 'default', 'orders-db.read')).toBe('parent-not-live');
  });

  test.each<GrantState>(['requested', 'pending', 'denied', 'closing', 'closed'])('gets nothing while its parent is %s', (state) => {
    expect(refuseDelegation({ ...parent, state }, 'default', 'orders-db.read')).toBe('parent-not-live');
  });
});

test('what is shown of a credential: its decision, then its newest lease, then whether anything may still come', () => {
  expect(credentialState(false, 'active', false)).toBe('denied');
  expect(credentialState(true, 'stuck', true)).toBe('stuck');
  expect(credentialState(true, undefined, false)).toBe('available');
  expect(credentialState(true, undefined, true)).toBe('ended');
});
