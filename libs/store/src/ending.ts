/**
 * Asking for an end: states change and the request is announced here, in one transaction; the killing is the revoker's.
 * @module
 */
import type { Cause, Drift, GrantId, TaskOutcome } from '@mayfly/domain';
import { grantClosed, revocationRequested, type Credential, type Grant, type Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { laneOf } from '@mayfly/revocation';
import { announceTasks } from './changes.js';
import { credentialsOf, credentialsOfAll } from './credentials.js';
import { lockLiveChildren, transitionGrant, transitionGrants } from './grants.js';
import { leasesOfAll, transitionLeases } from './leases.js';
import { emit, emitAll } from './outbox.js';
import { queueRevocations, wakeRevoker } from './queues.js';

/** Why something ends, and who says so. */
export interface End {
  readonly cause: Cause;
  /** What moved, where the world did. */
  readonly drift?: Drift | undefined;
  /** The service that asks. */
  readonly by: string;
  readonly at: Date;
  /** CloudEvents id of the event that caused it. */
  readonly causeEventId?: string | undefined;
  readonly outcome?: TaskOutcome | undefined;
}

/** A grant that shall end, and why. */
export interface GrantEnding {
  readonly grant: Grant;
  readonly end: End;
}
/** A lease that shall end, and why. */
export interface LeaseEnding extends GrantEnding {
  readonly credential: Credential;
  readonly lease: Lease;
}

/**
 * Asks for the end of one lease. The grant stays open. The grant's row must be locked by the caller.
 * @returns the lease, now `revoking`, or undefined when it was not live (any more)
 */
export async function endLease(tx: Sql, grant: Grant, credential: Credential, lease: Lease, end: End): Promise<Lease | undefined> {
  const [ended] = await endLeases(tx, [{ grant, credential, lease, end }]);
  if (ended) await queueRevocations(tx, [grant.id], end.at, end.cause);
  return ended;
}

async function endLeases(tx: Sql, endings: readonly LeaseEnding[]): Promise<Lease[]> {
  const ending = new Map(endings.map((each) => [each.lease.ref, each]));
  // Minting does not take the grant's lock, so that a lease may become active at this very moment: whichever it is, it ends.
  const ended = await transitionLeases(
    tx,
    ['minting', 'active'],
    'revoking',
    endings.map(({ lease, end }) => ({
      ref: lease.ref,
      patch: { cause: end.cause, drift: end.drift ?? null, requestedAt: end.at, causeEventId: end.causeEventId ?? null },
    })),
  );
  for (const [by, theirs] of Map.groupBy(ended, ({ ref }) => ending.get(ref)!.end.by)) {
    const events = theirs.map((lease) => {
      const { grant, credential, end } = ending.get(lease.ref)!;
      return revocationRequested(grant, credential, lease, { at: end.at, causationId: end.causeEventId });
    });
    await emitAll(tx, by, events);
  }
  return ended;
}

/**
 * Asks for the end of whole grants: nothing is handed out from here on, every live lease is `revoking`, and so are those of their
 * sub-tasks. The grants' rows must be locked by the caller.
 * @returns the ids of those that were not over already
 */
export async function endGrants(tx: Sql, endings: readonly GrantEnding[]): Promise<ReadonlySet<GrantId>> {
  if (endings.length === 0) return new Set();
  const undecided = endings.filter(({ grant: { state } }) => state === 'requested' || state === 'pending');
  const dropped: GrantEnding[] = [];
  for (const one of undecided) if (await dropUndecided(tx, one)) dropped.push(one);

  const ending = new Map(endings.map((each) => [each.grant.id, each]));
  const closing = await transitionGrants(
    tx,
    'granted',
    'closing',
    [...ending].map(([id, { end }]) => ({
      id,
      patch: patchOf(end),
      revocation: { revokeAt: end.at, revokeLane: laneOf(end.cause) },
    })),
  );
  const live = closing.map((grant) => ({ grant, end: ending.get(grant.id)!.end }));
  await endLeases(tx, await leasesUnder(tx, live));
  const over = [...dropped, ...live];
  const changed = over.map(({ grant }) => grant.taskId);
  await (live.length > 0 ? wakeRevoker(tx, changed) : announceTasks(tx, changed));
  const children =
    live.length > 0
      ? await lockLiveChildren(
          tx,
          live.map(({ grant }) => grant.id),
        )
      : [];
  await endGrants(
    tx,
    children.map((grant) => ({
      grant,
      end: { ...ending.get(grant.parentGrantId!)!.end, cause: 'parent_ended', drift: undefined, outcome: undefined },
    })),
  );
  return new Set(over.map(({ grant }) => grant.id));
}

/** The same for one grant; false when it was over already. */
export const endGrant = async (tx: Sql, grant: Grant, end: End): Promise<boolean> => (await endGrants(tx, [{ grant, end }])).has(grant.id);

const patchOf = (end: End) => ({
  endCause: end.cause,
  endDrift: end.drift ?? null,
  endRequestedAt: end.at,
  endOutcome: end.outcome ?? null,
  endEventId: end.causeEventId ?? null,
});

/** Nothing was permitted yet, so that there is nothing to revoke. */
async function dropUndecided(tx: Sql, { grant, end }: GrantEnding): Promise<boolean> {
  const patch = {
    endCause: end.cause,
    endRequestedAt: end.at,
    closedAt: end.at,
    ...(end.drift && { endDrift: end.drift }),
    ...(end.outcome && { endOutcome: end.outcome }),
    ...(end.causeEventId && { endEventId: end.causeEventId }),
  };
  const closed = await transitionGrant(tx, grant.id, grant.state, 'closed', patch);
  if (!closed) return false;
  await emit(tx, end.by, grantClosed(closed, await credentialsOf(tx, grant.id), [], { at: end.at, causationId: end.causeEventId }));
  return true;
}

async function leasesUnder(tx: Sql, endings: readonly GrantEnding[]): Promise<LeaseEnding[]> {
  if (endings.length === 0) return [];
  const ids = endings.map(({ grant }) => grant.id);
  const leases = await leasesOfAll(tx, ids);
  if (leases.length === 0) return [];
  const credentials = await credentialsOfAll(tx, ids);
  const slot = (of: { readonly grantId: GrantId; readonly name: string }): string => `${of.grantId} ${of.name}`;
  const bySlot = new Map(credentials.map((credential) => [slot(credential), credential]));
  const byGrant = new Map(endings.map((ending) => [ending.grant.id, ending]));
  return leases.flatMap((lease) => {
    const credential = bySlot.get(slot(lease));
    return credential ? [{ ...byGrant.get(lease.grantId)!, credential, lease }] : [];
  });
}
