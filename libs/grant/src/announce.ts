/**
 * The out events of the public contract, built from the records. Only what is named here leaves:
 * a new column never reaches an event by itself.
 * @module
 */
import { newEventId, OUT_EVENTS, TOPICS, type OutEvent, type OutEventType, type Topic } from '@mayfly/domain';
import type { Credential, Grant, Lease } from './records.js';

/** What an announcement says beside the records. */
export interface Announcement {
  readonly at: Date;
  /** CloudEvents id of the event that caused it; the task's start event where nothing nearer is known. */
  readonly causationId?: string | undefined;
}

const event = (type: OutEventType, topic: Topic, grant: Grant, said: Announcement, data: Record<string, unknown>): OutEvent => {
  const causationId = said.causationId ?? grant.startEventId;
  return {
    id: newEventId(),
    type,
    topic,
    key: grant.taskId,
    time: said.at,
    data: { taskId: grant.taskId, tenant: grant.tenant, agent: grant.agentId, at: said.at.toISOString(), ...data },
    ...(causationId && { causationId }),
    ...(grant.traceparent && { traceparent: grant.traceparent }),
    ...(grant.tracestate && { tracestate: grant.tracestate }),
  };
};

const outcome = (credential: Credential): Record<string, unknown> => ({
  name: credential.name,
  capability: credential.capability,
  decision: credential.permitted ? 'permit' : 'deny',
  decisionId: credential.decisionId,
  reasons: credential.reasons,
  policies: credential.policies,
});

const about = (credential: Credential, lease: Lease): Record<string, unknown> => ({
  credential: credential.name,
  capability: credential.capability,
  shape: credential.spec?.shape,
  leaseRef: lease.ref,
  decisionId: credential.decisionId,
  policyDigest: credential.policyDigest,
});

/** At least one credential was permitted. */
export const grantIssued = (grant: Grant, credentials: readonly Credential[], said: Announcement): OutEvent =>
  event(OUT_EVENTS.grantIssued, TOPICS.credentials, grant, said, {
    decisionId: credentials.find((credential) => credential.permitted)?.decisionId,
    policyDigest: grant.policyDigest,
    reason: credentials.every((credential) => credential.permitted) ? 'permitted' : 'partly-permitted',
    deadline: grant.deadline?.toISOString(),
    intentDigest: grant.intentDigest,
    credentials: credentials.map(outcome),
  });

/** Nothing was permitted. */
export const grantDenied = (grant: Grant, credentials: readonly Credential[], said: Announcement): OutEvent =>
  event(OUT_EVENTS.grantDenied, TOPICS.credentials, grant, said, {
    decisionId: credentials[0]?.decisionId,
    policyDigest: grant.policyDigest,
    reason: credentials[0]?.reasons[0] ?? 'denied',
    intentDigest: grant.intentDigest,
    credentials: credentials.map(outcome),
  });

/** A lease was minted. */
export const credentialIssued = (grant: Grant, credential: Credential, lease: Lease, said: Announcement): OutEvent =>
  event(OUT_EVENTS.credentialIssued, TOPICS.credentials, grant, said, {
    ...about(credential, lease),
    reason: credential.spec?.mint === 'on-start' ? 'minted-on-start' : 'minted-on-fetch',
    expiresAt: lease.expiresAt?.toISOString(),
  });

/** A credential was handed to the workload that proved itself. `decision` is the one made at the fetch. */
export const credentialDelivered = (
  grant: Grant,
  credential: Credential,
  lease: Lease,
  decision: { readonly id: string; readonly policyDigest: string },
  said: Announcement,
): OutEvent =>
  event(OUT_EVENTS.credentialDelivered, TOPICS.credentials, grant, said, {
    ...about(credential, lease),
    decisionId: decision.id,
    policyDigest: decision.policyDigest,
    intentDigest: grant.intentDigest,
    reason: 'fetched',
    fetch: credential.fetches,
    expiresAt: lease.expiresAt?.toISOString(),
  });

const requested = (lease: Lease): Record<string, unknown> => ({
  cause: lease.cause,
  drift: lease.drift,
  requestedAt: lease.requestedAt?.toISOString(),
});

/** A lease shall die. */
export const revocationRequested = (grant: Grant, credential: Credential, lease: Lease, said: Announcement): OutEvent =>
  event(OUT_EVENTS.revocationRequested, TOPICS.revocations, grant, said, {
    ...about(credential, lease),
    ...requested(lease),
    reason: lease.cause,
  });

/** A lease is proven dead. Never used for `expiry-only` and `static` shapes: nobody can claim that of them. */
export const credentialRevoked = (grant: Grant, credential: Credential, lease: Lease, said: Announcement): OutEvent =>
  event(OUT_EVENTS.credentialRevoked, TOPICS.revocations, grant, said, {
    ...about(credential, lease),
    ...requested(lease),
    reason: 'confirmed-dead',
    confirmedAt: lease.confirmedAt?.toISOString(),
    proof: lease.proof,
  });

/** A lease could not be killed yet; it is still tried, for ever. */
export const revocationStuck = (grant: Grant, credential: Credential, lease: Lease, said: Announcement): OutEvent =>
  event(OUT_EVENTS.revocationStuck, TOPICS.revocations, grant, said, {
    ...about(credential, lease),
    ...requested(lease),
    reason: lease.lastProblem ?? 'unknown',
    attempts: grant.revokeAttempts,
    quarantinedAt: lease.quarantinedAt?.toISOString(),
  });

/** Everything of the task is over; says of each credential how it ended. */
export const grantClosed = (grant: Grant, credentials: readonly Credential[], leases: readonly Lease[], said: Announcement): OutEvent =>
  event(OUT_EVENTS.grantClosed, TOPICS.credentials, grant, said, {
    policyDigest: grant.policyDigest,
    reason: grant.endCause ?? 'task_ended',
    drift: grant.endDrift,
    outcome: grant.endOutcome,
    credentials: credentials.map((credential) => ({
      name: credential.name,
      capability: credential.capability,
      shape: credential.spec?.shape,
      leases: leases
        .filter((lease) => lease.name === credential.name)
        .map((lease) => ({ leaseRef: lease.ref, ended: lease.state, expiresAt: lease.expiresAt?.toISOString() })),
    })),
  });
