import { digestOf, newGrantId, plusSeconds } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import type { Admission } from '../admission.js';

/**
 * How long this process keeps a task's minting for itself before another may take it over, in seconds. Asked for anew before each step
 * that calls Vault. A slow one may be overtaken all the same: what it made then loses the compare-and-set, and is discarded.
 */
export const MINT_HOLD_SECONDS = 15;

/** The grant and what was decided: `granted` when anything was permitted, else `denied`. A granted one's minting this process holds for a while. */
export function openGrant(known: Admission): void {
  const { round, message, orchestrator, decided, requestDigest, deadline, workflow, parent, initiatorOffboarded = false } = known;
  if (!orchestrator || !decided || !requestDigest || !deadline) throw new TypeError('openGrant comes after decide');
  const { task, envelope } = message;
  const { now, policy } = round;
  const trace = known.trace ?? envelope;
  const grant = {
    id: newGrantId(),
    taskId: task.taskId,
    tenant: orchestrator.tenant,
    source: orchestrator.source,
    request: task,
    requestDigest,
    intentDigest: digestOf(JSON.parse(JSON.stringify(task.intent))),
    agentId: task.agent.id,
    risk: task.risk,
    initiatorOffboarded,
    deadline,
    policyDigest: policy!.set.digest,
    startEventId: envelope.id,
    openedAt: now,
    heartbeatAt: now,
    behaviour: parent?.grant.behaviour ?? 'normal',
    delegationDepth: parent ? parent.grant.delegationDepth + 1 : 0,
    revokeAttempts: 0,
    ...(workflow?.heartbeatTimeoutSeconds !== undefined && { heartbeatTimeoutSeconds: workflow.heartbeatTimeoutSeconds }),
    ...(parent && { parentGrantId: parent.grant.id }),
    ...(trace.traceparent && { traceparent: trace.traceparent }),
    ...(trace.tracestate && { tracestate: trace.tracestate }),
  } satisfies Omit<Grant, 'state'>;
  const state = decided.some(({ permitted }) => permitted) ? 'granted' : 'denied';
  const { revokeAttempts: _, ...fresh } = grant;
  known.opening = { grant: { ...fresh, state }, mintAt: state === 'granted' ? plusSeconds(now, MINT_HOLD_SECONDS) : undefined };
  known.grant = { ...grant, state };
  known.credentials = decided.map((credential) => ({ ...credential, grantId: grant.id }));
}
