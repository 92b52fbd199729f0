import { digestOf, newDecisionId, type TaskFacts } from '@mayfly/domain';
import { deadlineOf, refuseDelegation, shallOpen, type Credential } from '@mayfly/grant';
import type { Decision } from '@mayfly/policy';
import { credentialsOf, lockGrantByTask } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS, withSpan } from '@mayfly/telemetry';
import type { Admission } from '../admission.js';

/** A decision whose reason is not policy's but ours. */
type Refusal = Omit<Decision, 'reasons'> & { readonly reasons: readonly string[] };

const decisions = counter(METRICS.decisions);

/** Decides each credential by itself: a partial permit is normal. */
export async function decide(known: Admission): Promise<void> {
  const { message, now, workflow, orchestrator, policy } = known;
  if (!orchestrator || !policy) throw new TypeError('decide comes after resolveOrchestrator');
  const { task } = message;
  known.parent = await parentOf(known);
  known.deadline = deadlineOf(now, workflow?.maxDurationSeconds ?? 0, task.deadline, known.parent?.grant.deadline);
  const facts: TaskFacts = {
    taskId: task.taskId,
    tenant: orchestrator.tenant,
    source: orchestrator.source,
    workflow: task.workflow.name,
    agent: task.agent.id,
    intent: task.intent,
    risk: task.risk,
    delegationDepth: known.parent ? known.parent.grant.delegationDepth + 1 : 0,
    behaviour: 'normal',
    ...(task.initiator && { initiator: task.initiator }),
    ...(task.parentTaskId && { parentTaskId: task.parentTaskId }),
    ...(task.attempt !== undefined && { attempt: task.attempt }),
  };
  const decided: Omit<Credential, 'grantId'>[] = [];
  for (const request of task.credentials) {
    const decision = await withSpan(
      SPANS.decide,
      { attributes: { [ATTRIBUTES.capability]: request.capability, [ATTRIBUTES.taskId]: task.taskId } },
      async (span) => {
        const answer =
          refuseFirst(known, request.capability) ??
          (await policy.decider.decide({ action: 'mint', capability: request.capability, task: facts, at: now }));
        span.set({
          [ATTRIBUTES.decision]: answer.decision,
          [ATTRIBUTES.decisionId]: answer.id,
          [ATTRIBUTES.policyDigest]: answer.policyDigest,
        });
        return answer;
      },
    );
    decisions.add(1, {
      [ATTRIBUTES.decision]: decision.decision,
      [ATTRIBUTES.capability]: policy.set.capability(request.capability)?.name ?? 'unknown',
    });
    const spec = policy.set.capability(request.capability);
    decided.push({
      name: request.name,
      capability: request.capability,
      permitted: decision.decision === 'permit',
      decisionId: decision.id,
      policyDigest: decision.policyDigest,
      reasons: decision.reasons,
      policies: decision.policies,
      fetches: 0,
      ...(spec && { spec }),
      ...(request.ttlSeconds !== undefined && { ttlSeconds: request.ttlSeconds }),
    });
  }
  known.decided = decided;
}

/** What stands against a credential before policy is asked. */
function refuseFirst(known: Admission, capability: string): Refusal | undefined {
  const refused = (reason: string) => ({
    id: newDecisionId(),
    decision: 'deny' as const,
    reasons: [reason],
    policies: [],
    policyDigest: known.policy!.set.digest,
    intentDigest: digestOf(known.message.task.intent),
  });
  if (known.refusal) return refused(known.refusal);
  if (known.workflow && known.deadline! <= known.now) return refused('deadline-passed');
  if (!known.message.task.parentTaskId) return undefined;
  const parent = known.parent && {
    state: known.parent.grant.state,
    tenant: known.parent.grant.tenant,
    permittedCapabilities: shallOpen(known.parent.grant, known.parent.credentials),
  };
  const reason = refuseDelegation(parent, known.orchestrator!.tenant, capability);
  return reason && refused(reason);
}

/** The parent's grant, locked, so that it cannot end unnoticed while its child is being opened. */
async function parentOf({ tx, message }: Admission): Promise<Admission['parent']> {
  if (!message.task.parentTaskId) return undefined;
  const grant = await lockGrantByTask(tx, message.task.parentTaskId);
  if (!grant) return undefined;
  return { grant, credentials: await credentialsOf(tx, grant.id) };
}
