import { grantDenied, grantIssued } from '@mayfly/grant';
import { announceTask, emit, stateFact } from '@mayfly/store';
import type { Admission } from '../admission.js';

/** Tells the world, by the outbox, and the evidence, in the same transaction. */
export async function announceGrant(known: Admission): Promise<void> {
  const { tx, now, message, grant, credentials } = known;
  if (!grant?.agentId || !credentials) throw new TypeError('announceGrant comes after openGrant');
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
  const announce = grant.state === 'granted' ? grantIssued : grantDenied;
  await emit(tx, 'issuer', announce(grant, credentials, { at: now, causationId: envelope.id }));
  await announceTask(tx, grant.taskId);
}
