/**
 * Closing grants, many in one transaction, and ending their claims.
 * @module
 */
import { OPEN_LEASE_STATES, grantClosed, type Credential, type Grant } from '@mayfly/grant';
import {
  announceTasks,
  emitAll,
  leasesOfAll,
  livingRetiredTokens,
  lockGrants,
  settleRevocations,
  transitionGrants,
  type Settlement,
  type Sql,
} from '@mayfly/store';

/** How one grant's attempt ends. */
export interface Closing extends Settlement {
  /** As this attempt has seen it. */
  readonly grant: Grant;
  readonly credentials: readonly Credential[];
  /** Whether its token is proven gone, and nothing of it left at its targets. */
  readonly proven: boolean;
  readonly at: Date;
  readonly traceparent?: string | undefined;
}

/** Closes those of which nothing is left, and ends the claims of all, in the caller's transaction. */
export async function closeAll(tx: Sql, closings: readonly Closing[]): Promise<void> {
  await closeProven(
    tx,
    closings.filter(({ grant, proven }) => grant.state === 'closing' && proven),
  );
  await settleRevocations(tx, closings);
}

/**
 * Closed is for ever, and only said once the token is gone and nothing is left that could still work. INVARIANT: by what this attempt has
 * seen itself. Another replica may conclude its leases meanwhile, and an issuer that was held up may bring a token.
 */
async function closeProven(tx: Sql, proven: readonly Closing[]): Promise<void> {
  if (proven.length === 0) return;
  const seen = new Map(proven.map((one) => [one.grant.id, one]));
  const ids = [...seen.keys()];
  const locked = await lockGrants(tx, ids);
  const retired = await livingRetiredTokens(tx, ids);
  const leases = Map.groupBy(await leasesOfAll(tx, ids), ({ grantId }) => grantId);
  const isOver = ({ id, tokenAccessor }: Grant): boolean =>
    tokenAccessor === seen.get(id)?.grant.tokenAccessor &&
    !retired.has(id) &&
    !leases.get(id)?.some(({ state }) => (OPEN_LEASE_STATES as readonly string[]).includes(state));
  const over = locked.filter(isOver);
  if (over.length === 0) return;
  const closed = await transitionGrants(
    tx,
    'closing',
    'closed',
    over.map(({ id }) => ({ id, patch: { closedAt: seen.get(id)!.at } })),
  );
  await emitAll(
    tx,
    'revoker',
    closed.map((grant) => {
      const { credentials, at, traceparent } = seen.get(grant.id)!;
      const event = grantClosed(grant, credentials, leases.get(grant.id) ?? [], { at, causationId: grant.endEventId });
      return { ...(traceparent && { traceparent }), ...event };
    }),
  );
  await announceTasks(
    tx,
    closed.map(({ taskId }) => taskId),
  );
}
