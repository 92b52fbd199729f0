/**
 * Limits that shrink beneath a task that has started.
 * @module
 */
import { plusSeconds, type Capability } from '@mayfly/domain';
import type { Lease } from './records.js';

/** The pinned entry with the limits of today's, where those are narrower; undefined where they are not. */
export function tighterLimits(pinned: Capability, entry: Capability): Capability | undefined {
  const maxTtlSeconds = Math.min(pinned.maxTtlSeconds, entry.maxTtlSeconds);
  const maxFetches = Math.min(pinned.maxFetches, entry.maxFetches);
  return maxTtlSeconds === pinned.maxTtlSeconds && maxFetches === pinned.maxFetches ? undefined : { ...pinned, maxTtlSeconds, maxFetches };
}

/** What becomes of a live lease under narrower limits: it goes on, ends now, or ends at a moment. What we cannot end then ends now. */
export function underLimits({ shape, maxTtlSeconds }: Capability, { issuedAt, expiresAt }: Lease, at: Date): 'goes-on' | 'ends' | Date {
  if (shape === 'static') return 'goes-on';
  const until = issuedAt && plusSeconds(issuedAt, maxTtlSeconds);
  if (until && expiresAt && expiresAt <= until) return 'goes-on';
  return until && shape === 'revocable' && until > at ? until : 'ends';
}
