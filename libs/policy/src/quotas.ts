/**
 * How much a tenant, an orchestrator or an agent may have: part of the signed registrations. Nothing said means no bound.
 * @module
 */
import { z } from 'zod';

const count = z.int().positive().max(100_000_000);

/** The form of `quotas` in the registrations. */
export const quotasForm = z.strictObject({
  liveTasks: count.optional(),
  startsPerMinute: count.optional(),
  mintsPerMinute: count.optional(),
});

/** What can be bounded: tasks that live now, tasks admitted in the last minute, credentials minted in the last minute. */
export const QUOTAS = ['liveTasks', 'startsPerMinute', 'mintsPerMinute'] as const;
/** One of {@link QUOTAS}. */
export type Quota = (typeof QUOTAS)[number];
/** Bounds by what they bound. */
export type Quotas = { readonly [Name in Quota]?: number | undefined };

/** Whose quota it is; always in this order, so that nobody waits crosswise. */
export const QUOTA_SCOPES = ['tenant', 'orchestrator', 'agent'] as const;
/** One of {@link QUOTA_SCOPES}. */
export type QuotaScope = (typeof QUOTA_SCOPES)[number];
