import { digestOf, newDecisionId, type TaskFacts } from '@mayfly/domain';
import { deadlineOf, factsOf, refuseDelegation, shallOpen, type Credential } from '@mayfly/grant';
import { decideGrant, type Decision, type DecisionQuestion } from '@mayfly/policy';
import { liveGrant, lockGrantByTask, stateShadow } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS, withSpan } from '@mayfly/telemetry';
import type { Admission } from '../admission.js';

/** A decision whose reason may be ours and not policy's. */
type Decided = Omit<Decision, 'reasons'> & { readonly reasons: readonly string[] };

const decisions = counter(METRICS.decisions);

/** Decides each credential by itself: a partial permit is normal. */
export async function decide(known: Admission): Promise<void> {
  const { round, message, workflow, orchestrator } = known;
  const { now, policy } = round;
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
    // A sub-task never stands better than the task that it works for.
    behaviour: known.parent?.grant.behaviour ?? 'normal',
    ...(task.initiator && { initiator: task.initiator }),
    ...(known.initiatorOffboarded && { initiatorOffboarded: true }),
    ...(task.parentTaskId && { parentTaskId: task.parentTaskId }),
    ...(task.attempt !== undefined && { attempt: task.attempt }),
  };
  const handedOn = await handOn(known);
  const decided: Omit<Credential, 'grantId'>[] = [];
  for (const request of task.credentials) {
    const { capability } = request;
    const spec = policy.set.capability(capability);
    const answer =
      refuseFirst(known, capability) ?? handedOn ?? (await ask(known, capability, { action: 'mint', capability, task: facts, at: now }));
    decisions.add(1, { [ATTRIBUTES.decision]: answer.decision, [ATTRIBUTES.capability]: spec?.name ?? 'unknown' });
    decided.push({
      name: request.name,
      capability,
      permitted: answer.decision === 'permit',
      decisionId: answer.id,
      policyDigest: answer.policyDigest,
      reasons: answer.reasons,
      policies: answer.policies,
      fetches: 0,
      ...(spec && { spec }),
      ...(request.ttlSeconds !== undefined && { ttlSeconds: request.ttlSeconds }),
    });
  }
  known.decided = decided;
}

/** Asks the decider, with the question's span and what shadow policies would have said of it. */
function ask({ round, message, orchestrator, trace }: Admission, target: string, question: DecisionQuestion): Promise<Decision> {
  const { taskId } = message.task;
  const about = { [ATTRIBUTES.taskId]: taskId, ...(question.action === 'mint' && { [ATTRIBUTES.capability]: target }) };
  return withSpan(SPANS.decide, { attributes: about, parent: trace }, async (span) => {
    const decision = await round.policy!.decider.decide(question);
    span.set({
      [ATTRIBUTES.decision]: decision.decision,
      [ATTRIBUTES.decisionId]: decision.id,
      [ATTRIBUTES.policyDigest]: decision.policyDigest,
    });
    const { action, at } = question;
    const whose = { by: 'issuer', tenant: orchestrator!.tenant, taskId, traceparent: trace?.traceparent };
    await stateShadow(round.tx, [{ ...whose, action, target, at, decision }]);
    return decision;
  });
}

/** A sub-task is its parent's act: whether the parent may hand work to this agent is asked first. Undefined when it may, or has no parent. */
async function handOn(known: Admission): Promise<Decided | undefined> {
  const { grant } = known.parent ?? {};
  if (grant?.state !== 'granted' || !grant.request) return undefined;
  const to = known.message.task.agent.id;
  const decision = await ask(known, to, { action: 'delegate', to, task: factsOf(grant, grant.request), at: known.round.now });
  return decision.decision === 'permit' ? undefined : { ...decision, reasons: ['delegation-denied', ...decision.reasons] };
}

/** What stands against a credential before policy is asked. */
function refuseFirst(known: Admission, capability: string): Decided | undefined {
  const refused = (reason: string): Decided => ({
    id: newDecisionId(),
    decision: 'deny',
    reasons: [reason],
    policies: [],
    policyDigest: known.round.policy!.set.digest,
    intentDigest: digestOf(known.message.task.intent),
  });
  if (known.refusal) return refused(known.refusal);
  if (known.workflow && known.deadline! <= known.round.now) return refused('deadline-passed');
  if (!known.message.task.parentTaskId) return undefined;
  const parent = known.parent && {
    state: known.parent.grant.state,
    tenant: known.parent.grant.tenant,
    permittedCapabilities: known.parent.has,
  };
  const reason = refuseDelegation(parent, known.orchestrator!.tenant, capability);
  return reason && refused(reason);
}

/** The parent's grant, locked, so that it cannot end or lose anything unnoticed while its child is being opened; and what it may have now. */
async function parentOf({ round: { tx, policy, now }, message }: Admission): Promise<Admission['parent']> {
  if (!message.task.parentTaskId) return undefined;
  const grant = await lockGrantByTask(tx, message.task.parentTaskId);
  if (!grant) return undefined;
  const live = await liveGrant(tx, grant);
  const kept = (await decideGrant(policy!.decider, live, now)).flatMap(({ kept, credential }) => (kept ? [credential.capability] : []));
  const open = shallOpen(grant, live.credentials);
  return { grant, has: kept.filter((capability) => open.includes(capability)) };
}
