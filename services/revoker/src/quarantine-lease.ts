import type { Clock } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import { quarantine, type Doomed, type Killers } from '@mayfly/revocation';
import { noteQuarantine, type Database } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS, withSpan } from '@mayfly/telemetry';
import { circumstancesOf } from './circumstances.js';

/** What quarantining works with. */
export interface QuarantineDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly killers: Killers;
}

/** Which lease, and why the secrets engine could not. */
export interface ToQuarantine extends Doomed {
  readonly grant: Grant;
  /** Stable code. */
  readonly reason: string;
  /** True when Vault has said that it knows nothing of the lease. */
  readonly forgotten: boolean;
}

const quarantines = counter(METRICS.quarantines);

/**
 * Ends a credential at its target and says so. What it does not say is `revoked`.
 * @returns false where nothing can be done at a target
 * @throws MayflyError `target-unavailable`
 */
export async function quarantineLease(on: QuarantineDependencies, { grant, reason, forgotten, ...one }: ToQuarantine): Promise<boolean> {
  const attributes = {
    [ATTRIBUTES.taskId]: grant.taskId,
    [ATTRIBUTES.leaseRef]: one.lease.ref,
    [ATTRIBUTES.capability]: one.credential.capability,
    [ATTRIBUTES.reason]: reason,
  };
  return withSpan(SPANS.quarantine, { attributes }, async () => {
    const principals = await quarantine(one, on.killers, circumstancesOf(on, grant), forgotten);
    if (principals === undefined) return false;
    quarantines.add(1, { [ATTRIBUTES.reason]: reason });
    const at = on.clock.now();
    await on.database.transaction('note quarantine', (tx) => noteQuarantine(tx, { ...one, grant, reason, principals, at }));
    return true;
  });
}
