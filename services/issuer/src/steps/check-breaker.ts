import { judgeBreaker, type BreakerState } from '@mayfly/grant';
import { moveBreaker, readBreaker, stateFact } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';
import type { Admission } from '../admission.js';

const trips = counter(METRICS.breakerTrips);
const refusals = counter(METRICS.breakerRefusals);

/** A start of a workflow that crashes again and again is admitted as a denied task: nothing is minted, and everybody can see why. */
export async function checkBreaker(known: Admission): Promise<void> {
  const { round, message, orchestrator, workflow } = known;
  const { tx, now } = round;
  if (!orchestrator) throw new TypeError('checkBreaker comes after resolveOrchestrator');
  const rule = workflow?.breaker;
  if (!rule) return;
  const { taskId, agent } = message.task;
  // Only who may do the workflow's tasks has a breaker there: another agent's claims must not open it, nor be its trial.
  if (!workflow.agents.includes(agent.id)) return;
  const name = { source: orchestrator.source, workflow: workflow.name, agentId: agent.id };
  const facts = await readBreaker(tx, name, rule);
  // The one that tries may be in this very round, and not written down yet.
  const beside = round.admissions.find(({ message: { task } }) => task.taskId === facts.breaker?.trialTask)?.grant;
  const { admit, go } = judgeBreaker(rule, { now, ...facts, trial: facts.trial ?? beside });
  const moved =
    go && (await moveBreaker(tx, name, facts.breaker, { state: go, since: now, trialTask: go === 'half_open' ? taskId : null }));
  if (moved) await note(known, name, go);
  // Of two that would both be the one trial, the first is.
  if (admit && (moved || go !== 'half_open')) return;
  known.refusal = 'breaker-open';
  refusals.add(1, { [ATTRIBUTES.workflow]: workflow.name });
}

async function note({ round: { tx, now }, orchestrator, message, trace }: Admission, name: object, state: BreakerState): Promise<void> {
  if (state === 'open') trips.add(1);
  await stateFact(tx, {
    kind: `dev.mayfly.evidence.breaker-${state.replace('_', '-')}.v1`,
    at: now.toISOString(),
    tenant: orchestrator?.tenant,
    taskId: message.task.taskId,
    by: 'issuer',
    data: { ...name },
    traceparent: trace?.traceparent,
  });
}
