/**
 * Whenever the world moves, on one screen.
 *
 *     a policy set becomes current → the live grants that it can touch are decided again (policy-follower)
 *     a task's behaviour changes   → that grant is decided again: what it lost by its own calls ends
 *     Vault is something else      → what may not live on then ends (onVaultDrift)
 *     a risk signal arrives        → the live grants of its subject are decided again with the higher risk
 *     a security event arrives     → risk, sessions and accounts of its subject (follow-security-event)
 *
 * Nothing is killed here: what is lost is asked to end, and the revoker does the rest.
 * @module
 */
import {
  currentPolicyDigest,
  driftedCapabilities,
  grantsHolding,
  grantsOfOtherBehaviour,
  listGrants,
  noteEvent,
  revokedByDrift,
} from '@mayfly/store';
import { RejectedEvent, vouchFor, type RiskSignalMessage } from '@mayfly/task-events';
import { lookAgainAt, type LookDependencies } from './look-again.js';

/** What following signals works with. */
export interface SignalDependencies extends LookDependencies {
  /** What this installation is called in signatures. */
  readonly audience: string;
}

const PAGE = 100;

/** Decides one page of grants again whose behaviour was raised or lowered since they were decided last; returns how many. */
export async function followBehaviour(on: LookDependencies): Promise<number> {
  const page = await grantsOfOtherBehaviour(on.database, PAGE);
  await lookAgainAt(on, page, { cause: 'behaviour_drift', drift: 'behaviour' });
  return page.length;
}

/** Decides one page of grants again that hold what Vault no longer is as declared, and what shall end for it; returns how many. */
export async function followVault(on: LookDependencies): Promise<number> {
  if ((await currentPolicyDigest(on.database)) === undefined) return 0;
  const { set } = await on.policies.get(on.database);
  const revoked = revokedByDrift(set, await driftedCapabilities(on.database, set));
  if (revoked.size === 0) return 0;
  const page = await grantsHolding(on.database, [...revoked], PAGE);
  await lookAgainAt(on, page, { cause: 'policy_drift', drift: 'vault' });
  return page.length;
}

/**
 * Takes a risk signal in. Only a registered orchestrator's signals count, and only for its own tenant.
 * @throws RejectedEvent when the event must be parked
 */
export async function followRisk(on: SignalDependencies, signal: RiskSignalMessage): Promise<void> {
  const { envelope, subject, risk, digest } = signal;
  const { set } = await on.policies.get(on.database);
  const { orchestrator } = await vouchFor(set.orchestrator(envelope.source), signal, on.audience);
  const filter = { state: 'granted', tenant: orchestrator.tenant, ...subject };
  for (let after: { openedAt: Date; id: string } | undefined; ;) {
    const page = await listGrants(on.database, { ...filter, limit: PAGE, after });
    await lookAgainAt(
      on,
      page.map(({ grant }) => grant),
      { cause: 'risk_signal', drift: 'risk', causeEventId: envelope.id },
      { risk },
    );
    const last = page.at(-1);
    if (!last || page.length < PAGE) break;
    after = { openedAt: last.grant.openedAt, id: last.grant.id };
  }
  // Noted last: a signal that was cut short is taken in again, which is harmless.
  const sighting = await noteEvent(on.database, envelope.source, envelope.id, digest);
  if (sighting === 'conflict')
    throw new RejectedEvent('event-conflict', 'an event with this source and id was seen before with other content');
}
