/**
 * Ending attempts, many in one transaction: what they have shown is written, grants of which nothing is left are closed, claims end.
 * @module
 */
import type { GrantId, OutEvent } from '@mayfly/domain';
import { OPEN_LEASE_STATES, grantClosed, type Grant } from '@mayfly/grant';
import { emitAll, findWholeGrants, lockGrants, settleRevocations, transitionGrants, waitBriefly } from '@mayfly/store';
import type { Settlement, Sql, WholeGrant } from '@mayfly/store';
import { taskOf, writeConclusions, type Conclusion } from './conclude.js';

/** How one grant's attempt ends. */
export interface Closing extends Settlement {
  /** As this attempt has seen it. */
  readonly grant: Grant;
  /** What it has shown, where that is not written yet. */
  readonly conclusion?: Conclusion | undefined;
  /** Whether its token is proven gone, and nothing of it left at its targets. */
  readonly proven: boolean;
  readonly at: Date;
  readonly traceparent?: string | undefined;
}

/** Writes what they have shown, closes those of which nothing is left, and ends the claims of all, in the caller's transaction. */
export async function closeAll(tx: Sql, closings: readonly Closing[]): Promise<void> {
  await waitBriefly(tx);
  // Grants before leases, and in one order, as everywhere.
  await lockGrants(
    tx,
    closings.map(({ grant }) => grant.id),
  );
  const conclusions = closings.flatMap(({ conclusion }) => conclusion ?? []);
  const ended = await writeConclusions(tx, conclusions);
  const { closed, events } = await closeProven(
    tx,
    closings.filter(({ grant, proven }) => grant.state === 'closing' && proven),
  );
  await emitAll(tx, 'revoker', [...ended, ...events], [...new Set([...conclusions.map(taskOf), ...closed.values()])]);
  await settleRevocations(
    tx,
    closings.filter(({ grant }) => !closed.has(grant.id)),
  );
}

/**
 * Closed is for ever, and only said once the token is gone and nothing is left that could still work. INVARIANT: by what this attempt has
 * seen itself. Another replica may conclude its leases meanwhile, and an issuer that was held up may bring a token.
 * @returns the tasks of those that were closed, whose claims are settled with it, and what is to be announced of them
 */
async function closeProven(
  tx: Sql,
  proven: readonly Closing[],
): Promise<{ readonly closed: ReadonlyMap<GrantId, string>; readonly events: readonly OutEvent[] }> {
  if (proven.length === 0) return { closed: new Map(), events: [] };
  const seen = new Map(proven.map((one) => [one.grant.id, one]));
  const ids = [...seen.keys()];
  const whole = await findWholeGrants(tx, ids);
  const isOver = ({ grant: { id, tokenAccessor }, leases, retiredTokens }: WholeGrant): boolean =>
    tokenAccessor === seen.get(id)?.grant.tokenAccessor &&
    retiredTokens.length === 0 &&
    !leases.some(({ state }) => (OPEN_LEASE_STATES as readonly string[]).includes(state));
  const over = [...whole.values()].filter(isOver);
  const closed = await transitionGrants(
    tx,
    'closing',
    'closed',
    over.map(({ grant: { id } }) => ({
      id,
      patch: { closedAt: seen.get(id)!.at },
      revocation: { revokeClaim: seen.get(id)!.claim.claim },
    })),
  );
  const events = closed.map((grant) => {
    const { at, traceparent } = seen.get(grant.id)!;
    const { credentials, leases } = whole.get(grant.id)!;
    return { ...(traceparent && { traceparent }), ...grantClosed(grant, credentials, leases, { at, causationId: grant.endEventId }) };
  });
  return { closed: new Map(closed.map(({ id, taskId }) => [id, taskId])), events };
}
