import { quotaBounds } from '@mayfly/policy';
import { stateFact } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';
import type { Admission } from '../admission.js';

const refusals = counter(METRICS.quotaRefusals);

/** What would exceed a quota is admitted as a denied task: nothing is minted, and everybody can see why. */
export async function checkQuotas(known: Admission): Promise<void> {
  const { round, message, orchestrator, refusal, trace } = known;
  const { tx, now, policy, quotas } = round;
  if (!orchestrator || !policy) throw new TypeError('checkQuotas comes after resolveOrchestrator');
  const { task, envelope } = message;
  const owner = { tenant: orchestrator.tenant, source: orchestrator.source, agentId: task.agent.id };
  const bounds = quotaBounds(policy.set, owner.source, owner.agentId);
  if (refusal || bounds.length === 0) return;
  const minted = task.credentials.filter(({ capability }) => policy.set.capability(capability)?.mint === 'on-start');
  const exceeded = await quotas.exceeded(tx, owner, bounds, { liveTasks: 1, startsPerMinute: 1, mintsPerMinute: minted.length });
  if (!exceeded) return;
  known.refusal = 'quota-exceeded';
  refusals.add(1, { [ATTRIBUTES.quota]: exceeded.quota, [ATTRIBUTES.quotaScope]: exceeded.scope });
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.quota-exceeded.v1',
    at: now.toISOString(),
    tenant: owner.tenant,
    taskId: task.taskId,
    by: 'issuer',
    data: { source: owner.source, agent: owner.agentId, eventId: envelope.id, ...exceeded },
    traceparent: trace?.traceparent,
  });
}
