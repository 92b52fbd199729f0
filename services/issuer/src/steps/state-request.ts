import type { Admission } from '../admission.js';

/** Evidence of who asked for what, on whose behalf, before anything is done about it. */
export function stateRequest(known: Admission): void {
  const { round, message, grant, voucher, trace } = known;
  if (!grant?.agentId) throw new TypeError('stateRequest comes after openGrant');
  const { task, envelope } = message;
  known.requested = {
    kind: 'dev.mayfly.evidence.task-requested.v1',
    at: round.now.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: 'issuer',
    data: {
      source: envelope.source,
      eventId: envelope.id,
      ...voucher,
      agent: grant.agentId,
      initiator: task.initiator,
      workflow: task.workflow,
      parentTaskId: task.parentTaskId,
      intentDigest: grant.intentDigest,
      requestDigest: grant.requestDigest,
      risk: grant.risk,
      deadline: grant.deadline?.toISOString(),
      credentials: task.credentials,
    },
    traceparent: trace?.traceparent,
  };
}
