/**
 * Deciding a live grant again, and asking for the end of exactly what it lost.
 * @module
 */
import type { Cause, Clock, GrantId } from '@mayfly/domain';
import { factsOf, LIVE_LEASE_STATES, type Credential, type Grant } from '@mayfly/grant';
import type { Decision, Policy } from '@mayfly/policy';
import {
  amendGrant,
  credentialsOf,
  endLease,
  heedVault,
  leasesOf,
  lockGrant,
  narrowToken,
  noteBehaviourDecided,
  stateFact,
  type CurrentPolicy,
  type Database,
  type Sql,
} from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS, withSpan } from '@mayfly/telemetry';

/** What deciding again works with. */
export interface RedecideDependencies {
  readonly database: Database;
  readonly policies: CurrentPolicy<Policy>;
  readonly clock: Clock;
}

/** Why a grant is looked at again. */
export interface Drift {
  readonly cause: Extract<Cause, 'policy_drift' | 'risk_signal' | 'behaviour_drift'>;
  readonly causeEventId?: string | undefined;
  /** Raises the grant's risk to this first. */
  readonly risk?: number;
}

const redecisions = counter(METRICS.redecisions);

/** Decides one live grant again under its lock. What is still permitted goes on untouched. Returns how many leases it lost. */
export function redecide({ database, policies, clock }: RedecideDependencies, id: GrantId, drift: Drift, parent?: Grant): Promise<number> {
  const trace = parent?.traceparent ? { traceparent: parent.traceparent } : undefined;
  return withSpan(
    SPANS.redecide,
    { parent: trace, attributes: { [ATTRIBUTES.grantId]: id, [ATTRIBUTES.cause]: drift.cause } },
    async (span) => {
      const lost = await database.transaction('decide again', async (tx) => {
        const locked = await lockGrant(tx, id);
        if (locked?.state !== 'granted' || !locked.request) return 0;
        const policy = await heedVault(tx, await policies.get(tx), 'revoked');
        const grant = { ...locked, risk: Math.max(locked.risk, drift.risk ?? 0) };
        const at = clock.now();
        let count = 0;
        for (const credential of await credentialsOf(tx, id)) {
          if (!credential.permitted) continue;
          const decision = await policy.decider.decide({
            action: 'fetch',
            capability: credential.capability,
            task: factsOf(grant, locked.request),
            at,
          });
          if (decision.decision !== 'permit') count += await lose(tx, grant, credential, decision, drift, at);
        }
        await amendGrant(tx, id, 'granted', { policyDigest: policy.set.digest, risk: grant.risk });
        await noteBehaviourDecided(tx, grant);
        span.set({ [ATTRIBUTES.taskId]: grant.taskId, [ATTRIBUTES.policyDigest]: policy.set.digest });
        return count;
      });
      redecisions.add(1, { [ATTRIBUTES.outcome]: lost > 0 ? 'lost' : 'kept' });
      return lost;
    },
  );
}

async function lose(
  tx: Sql,
  grant: Grant,
  credential: Credential,
  decision: Decision,
  { cause: looked, causeEventId }: Drift,
  at: Date,
): Promise<number> {
  // Whatever it was looked at for: what it lost by its own calls it lost by them.
  const misbehaved = decision.reasons.some((reason) => reason === 'task-narrowed' || reason === 'task-suspended');
  const why = misbehaved
    ? ({ cause: 'behaviour_drift', drift: 'behaviour' } as const)
    : decision.reasons.includes('vault-drift')
      ? ({ cause: 'policy_drift', drift: 'vault' } as const)
      : { cause: looked };
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.permit-lost.v1',
    at: at.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: 'drift',
    data: {
      credential: credential.name,
      capability: credential.capability,
      ...why,
      risk: grant.risk,
      decisionId: decision.id,
      policyDigest: decision.policyDigest,
      intentDigest: decision.intentDigest,
      reasons: decision.reasons,
      policies: decision.policies,
    },
  });
  await narrowToken(tx, grant.id, [credential.capability], at);
  const live = (await leasesOf(tx, grant.id)).filter(
    (lease) => lease.name === credential.name && (LIVE_LEASE_STATES as readonly string[]).includes(lease.state),
  );
  for (const lease of live) await endLease(tx, grant, credential, lease, { ...why, by: 'drift', at, causeEventId });
  return live.length;
}
