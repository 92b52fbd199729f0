import { describe, expect, test } from '@jest/globals';
import { newGrantId, newLeaseRef, plusSeconds, type Capability, type Shape } from '@mayfly/domain';
import { tighterLimits, underLimits, type Lease } from '@mayfly/grant';

const NOW = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number): Date => plusSeconds(NOW, seconds);
const pinned: Capability = {
  name: 'orders-db.read',
  engine: 'database',
  shape: 'revocable',
  mint: 'on-start',
  mount: 'database',
  role: 'orders-read',
  vaultPolicy: 'cap-orders-db-read',
  dataClass: 'internal',
  access: 'read',
  maxTtlSeconds: 600,
  maxFetches: 5,
  probe: true,
  onVaultDrift: 'alarm',
};

describe('limits of a task that has started', () => {
  test.each<[string, Partial<Capability>, Partial<Capability> | undefined]>([
    ['stay when the catalogue says the same', {}, undefined],
    ['stay when the catalogue allows more', { maxTtlSeconds: 601, maxFetches: 6 }, undefined],
    ['take a shorter life', { maxTtlSeconds: 599 }, { maxTtlSeconds: 599 }],
    ['take fewer fetches', { maxFetches: 4 }, { maxFetches: 4 }],
    ['take both', { maxTtlSeconds: 1, maxFetches: 0 }, { maxTtlSeconds: 1, maxFetches: 0 }],
    ['take only what is narrower', { maxTtlSeconds: 60, maxFetches: 9 }, { maxTtlSeconds: 60 }],
    ['take nothing else of the new entry', { maxFetches: 4, role: 'orders-write', access: 'write' }, { maxFetches: 4 }],
  ])('%s', (_, entry, tighter) => {
    expect(tighterLimits(pinned, { ...pinned, ...entry })).toEqual(tighter && { ...pinned, ...tighter });
  });
});

describe('a lease under a limit of 600 s', () => {
  /** Seconds from now; `issued` 300 s ago may live for 300 s more. */
  test.each<[string, Shape, { issued?: number; expires?: number }, 'goes-on' | 'ends' | Date]>([
    ['goes on when it ends sooner by itself', 'revocable', { issued: -300, expires: 299 }, 'goes-on'],
    ['goes on when it ends at that moment by itself', 'revocable', { issued: -300, expires: 300 }, 'goes-on'],
    ['ends at the moment when its life is over', 'revocable', { issued: -300, expires: 301 }, after(300)],
    ['ends at that moment when it would never end by itself', 'revocable', { issued: -300 }, after(300)],
    ['ends now when its life is over now', 'revocable', { issued: -600, expires: 900 }, 'ends'],
    ['ends now when its life has been over', 'revocable', { issued: -700, expires: 900 }, 'ends'],
    ['ends now when nobody knows since when it lives', 'revocable', { expires: 10 }, 'ends'],
    ['ends now when nobody could end it then', 'expiry-only', { issued: -300, expires: 301 }, 'ends'],
    ['goes on when nobody can end it and it ends in time', 'expiry-only', { issued: -300, expires: 300 }, 'goes-on'],
    ['goes on when its material never dies', 'static', { issued: -9000 }, 'goes-on'],
  ])('%s', (_, shape, { issued, expires }, expected) => {
    const lease: Lease = {
      ref: newLeaseRef(),
      grantId: newGrantId(),
      name: 'orders',
      state: 'active',
      minter: 'issuer',
      intendedAt: NOW,
      ...(issued !== undefined && { issuedAt: after(issued) }),
      ...(expires !== undefined && { expiresAt: after(expires) }),
    };
    expect(underLimits({ ...pinned, shape }, lease, NOW)).toEqual(expected);
  });
});
