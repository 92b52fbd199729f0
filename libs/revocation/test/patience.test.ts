import { describe, expect, test } from '@jest/globals';
import { newGrantId, newLeaseRef, plusSeconds } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';
import { MINT_WINDOW_SECONDS, mintUnderWay, nextAttemptAt, STUCK_AFTER_ATTEMPTS } from '@mayfly/revocation';
import fc from 'fast-check';

const NOW = new Date('2026-01-01T00:00:00Z');

describe('patience', () => {
  test('every failed attempt has a next one, in the future, at most ten seconds away', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (attempts) => {
        const pause = nextAttemptAt(attempts, NOW).getTime() - NOW.getTime();
        expect(pause).toBeGreaterThan(0);
        expect(pause).toBeLessThanOrEqual(10_000);
        expect(nextAttemptAt(attempts + 1, NOW).getTime() - NOW.getTime()).toBeGreaterThanOrEqual(pause);
      }),
    );
  });

  test('starts at a quarter of a second and doubles', () => {
    expect([1, 2, 3, 4, 5].map((attempts) => nextAttemptAt(attempts, NOW).getTime() - NOW.getTime())).toEqual([250, 500, 1000, 2000, 4000]);
  });

  test('the alarm comes within seconds, not hours', () => {
    let at = NOW;
    for (let attempts = 1; attempts < STUCK_AFTER_ATTEMPTS; attempts += 1) at = nextAttemptAt(attempts, at);
    expect(at.getTime() - NOW.getTime()).toBeLessThan(10_000);
  });
});

describe('a mint under way', () => {
  const intent: Lease = {
    ref: newLeaseRef(),
    grantId: newGrantId(),
    name: 'orders',
    state: 'revoking',
    minter: 'issuer',
    intendedAt: NOW,
  };

  test('of the issuer is over when the issuer says so, however long ago it was intended', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seconds) => {
        const now = plusSeconds(NOW, seconds);
        expect(mintUnderWay(intent, true, now)!.getTime()).toBeGreaterThan(now.getTime());
        expect(mintUnderWay(intent, false, now)).toBeUndefined();
      }),
    );
  });

  test('of delivery is over when no mint can still arrive', () => {
    const mine = { ...intent, minter: 'delivery' as const };
    const over = plusSeconds(NOW, MINT_WINDOW_SECONDS);
    expect(mintUnderWay(mine, false, plusSeconds(over, -0.001))).toEqual(over);
    expect(mintUnderWay(mine, true, over)).toBeUndefined();
  });

  test('is none once the lease was written down', () => {
    for (const minter of ['issuer', 'delivery'] as const)
      expect(mintUnderWay({ ...intent, minter, issuedAt: NOW }, true, NOW)).toBeUndefined();
  });
});
