import { digestOf, MayflyError, newGrantId } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { credentialsOf, insertCredentials, insertGrant, transitionGrant } from '@mayfly/store';
import type { Admission } from '../admission.js';

/** Writes the grant and what was decided: `granted` when anything was permitted, else `denied`. */
export async function openGrant(known: Admission): Promise<'stop' | void> {
  const { tx, message, now, orchestrator, policy, decided, requestDigest, deadline, workflow, parent } = known;
  if (!orchestrator || !policy || !decided || !requestDigest || !deadline) throw new TypeError('openGrant comes after decide');
  failpoint('C4');
  const { task, envelope } = message;
  const trace = known.trace ?? envelope;
  const id = newGrantId();
  const opened = await insertGrant(tx, {
    id,
    taskId: task.taskId,
    tenant: orchestrator.tenant,
    source: orchestrator.source,
    state: 'requested',
    request: task,
    requestDigest,
    intentDigest: digestOf(JSON.parse(JSON.stringify(task.intent))),
    agentId: task.agent.id,
    risk: task.risk,
    ...(known.initiatorOffboarded && { initiatorOffboarded: true }),
    deadline,
    policyDigest: policy.set.digest,
    startEventId: envelope.id,
    openedAt: now,
    heartbeatAt: now,
    ...(workflow?.heartbeatTimeoutSeconds !== undefined && { heartbeatTimeoutSeconds: workflow.heartbeatTimeoutSeconds }),
    ...(parent && {
      parentGrantId: parent.grant.id,
      delegationDepth: parent.grant.delegationDepth + 1,
      behaviour: parent.grant.behaviour,
    }),
    ...(trace.traceparent && { traceparent: trace.traceparent }),
    ...(trace.tracestate && { tracestate: trace.tracestate }),
  });
  // Somebody else admitted the same task, or ended it, since it was looked up: the event is read again and then found known.
  if (!opened) throw new TaskRaced();
  await insertCredentials(
    tx,
    decided.map((credential) => ({ ...credential, grantId: id })),
  );
  const permitted = decided.some((credential) => credential.permitted);
  const grant = await transitionGrant(tx, id, 'requested', permitted ? 'granted' : 'denied');
  if (!grant) throw new TypeError('a grant that was just written is not there');
  known.grant = grant;
  known.credentials = await credentialsOf(tx, id);
}

/** Two starts of one task at the same moment; trying again settles it. */
export class TaskRaced extends MayflyError {
  constructor() {
    super('task-raced', 'another process admitted this task at the same moment; it is looked at again', 409, true);
  }
}
