/**
 * What operators see of a grant. Only what is named here is shown.
 * @module
 */
import { credentialState, ENDED_GRANT_STATES } from '@mayfly/grant';
import type { GrantTree } from '@mayfly/store';

/** A grant as JSON for operators: no token, accessor, lease id or principal. */
export const viewGrant = ({ grant, credentials, leases }: GrantTree) => ({
  taskId: grant.taskId,
  tenant: grant.tenant,
  state: grant.state,
  source: grant.source,
  workflow: grant.request?.workflow,
  agent: grant.agentId,
  initiator: grant.request?.initiator,
  purpose: grant.request?.intent.purpose,
  parentTaskId: grant.request?.parentTaskId,
  risk: grant.risk,
  behaviour: grant.behaviour,
  policyDigest: grant.policyDigest,
  openedAt: grant.openedAt,
  deadline: grant.deadline,
  endCause: grant.endCause,
  endDrift: grant.endDrift,
  outcome: grant.endOutcome,
  closedAt: grant.closedAt,
  traceId: grant.traceparent?.split('-')[1],
  credentials: credentials.map((credential) => {
    const own = leases.filter(({ name }) => name === credential.name);
    return {
      name: credential.name,
      capability: credential.capability,
      shape: credential.spec?.shape,
      state: credentialState(credential.permitted, own.at(-1)?.state, (ENDED_GRANT_STATES as readonly string[]).includes(grant.state)),
      decisionId: credential.decisionId,
      reasons: credential.reasons,
      policies: credential.policies,
      fetches: credential.fetches,
      leases: own.map((lease) => ({
        leaseRef: lease.ref,
        state: lease.state,
        issuedAt: lease.issuedAt,
        expiresAt: lease.expiresAt,
        deliveredAt: lease.deliveredAt,
        cause: lease.cause,
        drift: lease.drift,
        requestedAt: lease.requestedAt,
        confirmedAt: lease.confirmedAt,
        proof: lease.proof,
        problem: lease.lastProblem,
      })),
    };
  }),
});
