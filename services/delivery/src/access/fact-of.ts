import type { StatedFact } from '@mayfly/store';
import { currentTrace } from '@mayfly/telemetry';
import type { Judged } from './judge.js';

/** The evidence of one answer: what was asked, what was decided, and on what it rests. Nothing is known of a task that is not the agent's own. */
export function factOf({ own }: Judged, at: Date): readonly StatedFact[] {
  if (!own) return [];
  const { question, ruling } = own;
  const { grant } = own.standing;
  const escalates = ruling.reasons.includes('off-plan');
  return [
    {
      kind: `dev.mayfly.evidence.${escalates ? 'escalation-attempt' : 'call-decided'}.v1`,
      at: at.toISOString(),
      tenant: grant.tenant,
      taskId: grant.taskId,
      by: 'delivery',
      data: {
        agent: grant.agentId,
        ...question.call,
        decision: ruling.decision,
        decisionId: ruling.id,
        reasons: ruling.reasons,
        policies: ruling.policies,
        policyDigest: ruling.policyDigest,
        intentDigest: ruling.intentDigest,
        ...(ruling.shadow && { shadow: ruling.shadow }),
      },
      // Stated together with others': each keeps its own trace.
      traceparent: currentTrace()?.traceparent,
    },
  ];
}
