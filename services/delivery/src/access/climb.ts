import type { BehaviourStep, Grant } from '@mayfly/grant';
import { announceTask, endGrant, lockGrant, raiseBehaviour, stateFacts, type Sql } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';

const steps = counter(METRICS.behaviourSteps);

/**
 * Takes a task a step up the ladder, in the transaction that counted what led there. What it loses by that is the drift service's to find
 * and the revoker's to end; the last step ends the task's grant here.
 */
export async function climb(
  tx: Sql,
  { grant: seen, decisionId }: { readonly grant: Pick<Grant, 'id'>; readonly decisionId: string },
  { to, refused, at }: { readonly to: BehaviourStep; readonly refused: number; readonly at: Date },
): Promise<void> {
  const grant = await lockGrant(tx, seen.id);
  if (grant?.state !== 'granted') return;
  const raised = to === 'revoked' ? [grant] : await raiseBehaviour(tx, grant.id, to);
  if (raised.length === 0) return;
  steps.add(1, { [ATTRIBUTES.state]: to, [ATTRIBUTES.workflow]: grant.request?.workflow.name });
  await stateFacts(
    tx,
    raised.map(({ tenant, taskId, agentId, traceparent, id }) => ({
      kind: 'dev.mayfly.evidence.behaviour-raised.v1',
      at: at.toISOString(),
      tenant,
      taskId,
      by: 'delivery',
      data: {
        agent: agentId,
        behaviour: to,
        // A sub-task goes with the task that it works for.
        ...(id === grant.id ? { from: grant.behaviour, refused, decisionId } : { parentTaskId: grant.taskId }),
      },
      traceparent,
    })),
  );
  if (to === 'revoked') await endGrant(tx, grant, { cause: 'behaviour_drift', drift: 'behaviour', by: 'delivery', at });
  for (const { taskId } of raised) await announceTask(tx, taskId);
}
