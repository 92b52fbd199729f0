/**
 * Ends that nobody tells: deadlines, leases whose time is over, silent tasks, intents whose owner died. Works without Kafka.
 * @module
 */
import { plusSeconds, type Cause, type Clock } from '@mayfly/domain';
import {
  abandonedIntents,
  credentialsOf,
  endGrant,
  endLease,
  findLease,
  grantsPastDeadline,
  grantsWithoutHeartbeat,
  leasesPastExpiry,
  lockGrant,
  type Database,
} from '@mayfly/store';
import type { Grant, Lease } from '@mayfly/grant';
import { MINT_WINDOW_SECONDS } from '@mayfly/revocation';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';

const PAGE = 100;
/** Longer than any mint takes, with all its retries: whoever had this intent is dead, or does not know what came of it. */
const ABANDONED_AFTER_SECONDS = 1.5 * MINT_WINDOW_SECONDS;

const ends = counter(METRICS.clockEnds);

/** What the watches work with. */
export interface WatchDependencies {
  readonly database: Database;
  readonly clock: Clock;
}

/** Looks once for everything whose time is over, and asks for its end. Returns how much it found. */
export async function watchTheClock(on: WatchDependencies): Promise<number> {
  const now = on.clock.now();
  const [overdue, silent, expired, abandoned] = await Promise.all([
    grantsPastDeadline(on.database, now, PAGE),
    grantsWithoutHeartbeat(on.database, now, PAGE),
    leasesPastExpiry(on.database, now, PAGE),
    abandonedIntents(on.database, plusSeconds(now, -ABANDONED_AFTER_SECONDS), PAGE),
  ]);
  ends.add(overdue.length + expired.length, { [ATTRIBUTES.cause]: 'expired' });
  ends.add(silent.length, { [ATTRIBUTES.cause]: 'lost_heartbeat' });
  ends.add(abandoned.length, { [ATTRIBUTES.cause]: 'abandoned' });
  for (const grant of overdue) await endOverdue(on, grant, 'expired', now);
  for (const grant of silent) await endOverdue(on, grant, 'lost_heartbeat', now);
  for (const lease of [...expired, ...abandoned]) await endExpired(on, lease, now);
  return overdue.length + silent.length + expired.length + abandoned.length;
}

const endOverdue = ({ database }: WatchDependencies, { id }: Grant, cause: Cause, at: Date): Promise<void> =>
  database.transaction('end overdue grant', async (tx) => {
    const grant = await lockGrant(tx, id);
    if (grant) await endGrant(tx, grant, { cause, by: 'revoker', at });
  });

const endExpired = ({ database }: WatchDependencies, { ref, grantId }: Lease, at: Date): Promise<void> =>
  database.transaction('end expired lease', async (tx) => {
    const grant = await lockGrant(tx, grantId);
    const lease = await findLease(tx, ref);
    const credential = (await credentialsOf(tx, grantId)).find(({ name }) => name === lease?.name);
    if (grant && lease && credential) await endLease(tx, grant, credential, lease, { cause: 'expired', by: 'revoker', at });
  });
