import { stateFact } from '@mayfly/store';
import type { Admission } from '../admission.js';

/** Evidence of who asked for what, on whose behalf, before anything is done about it. */
export async function stateRequest({ tx, now, message, grant, voucher }: Admission): Promise<void> {
  if (!grant?.agentId) throw new TypeError('stateRequest comes after openGrant');
  const { task, envelope } = message;
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.task-requested.v1',
    at: now.toISOString(),
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
  });
}
