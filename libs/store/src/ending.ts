/**
 * Asking for an end: states change and the request is announced here, in one transaction; the killing is the revoker's.
 * @module
 */
import type { Cause, TaskOutcome } from '@mayfly/domain';
import { grantClosed, revocationRequested, type Credential, type Grant, type Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { announceTask } from './changes.js';
import { credentialsOf } from './credentials.js';
import { liveChildren, lockGrant, transitionGrant } from './grants.js';
import { leasesOf, transitionLease } from './leases.js';
import { emit } from './outbox.js';
import { queueRevocation } from './queues.js';

/** Why something ends, and who says so. */
export interface End {
  readonly cause: Cause;
  /** The service that asks. */
  readonly by: string;
  readonly at: Date;
  /** CloudEvents id of the event that caused it. */
  readonly causeEventId?: string | undefined;
  readonly outcome?: TaskOutcome | undefined;
}

/**
 * Asks for the end of one lease. The grant stays open. The grant's row must be locked by the caller.
 * @returns the lease, now `revoking`, or undefined when it was not live (any more)
 */
export async function endLease(tx: Sql, grant: Grant, credential: Credential, lease: Lease, end: End): Promise<Lease | undefined> {
  const asked = { cause: end.cause, requestedAt: end.at, ...(end.causeEventId && { causeEventId: end.causeEventId }) };
  // Minting does not take the grant's lock, so the lease may become active at this very moment: tried in the order in which states follow.
  const ending =
    (await transitionLease(tx, lease.ref, 'minting', 'revoking', asked)) ??
    (await transitionLease(tx, lease.ref, 'active', 'revoking', asked));
  if (!ending) return undefined;
  await emit(tx, end.by, revocationRequested(grant, credential, ending, { at: end.at, causationId: end.causeEventId }));
  await queueRevocation(tx, grant.id, end.at);
  return ending;
}

/**
 * Asks for the end of a whole grant: nothing is handed out from here on, every live lease is `revoking`, and so are those of its sub-tasks.
 * The grant's row must be locked by the caller.
 * @returns false when the grant was over already
 */
export async function endGrant(tx: Sql, grant: Grant, end: End): Promise<boolean> {
  const patch = {
    endCause: end.cause,
    endRequestedAt: end.at,
    ...(end.outcome && { endOutcome: end.outcome }),
    ...(end.causeEventId && { endEventId: end.causeEventId }),
  };
  if (grant.state === 'requested' || grant.state === 'pending') {
    const closed = await transitionGrant(tx, grant.id, grant.state, 'closed', { ...patch, closedAt: end.at });
    if (closed)
      await emit(tx, end.by, grantClosed(closed, await credentialsOf(tx, grant.id), [], { at: end.at, causationId: end.causeEventId }));
    await announceTask(tx, grant.taskId);
    return closed !== undefined;
  }
  if (grant.state !== 'granted') return false;
  const closing = await transitionGrant(tx, grant.id, 'granted', 'closing', patch);
  if (!closing) return false;
  const credentials = new Map((await credentialsOf(tx, grant.id)).map((credential) => [credential.name, credential]));
  for (const lease of await leasesOf(tx, grant.id)) {
    const credential = credentials.get(lease.name);
    if (credential) await endLease(tx, closing, credential, lease, end);
  }
  await queueRevocation(tx, grant.id, end.at);
  await announceTask(tx, grant.taskId);
  for (const { id } of await liveChildren(tx, grant.id)) {
    const child = await lockGrant(tx, id);
    if (child) await endGrant(tx, child, { ...end, cause: 'parent_ended', outcome: undefined });
  }
  return true;
}
