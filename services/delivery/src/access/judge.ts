import { newDecisionId, type Clock } from '@mayfly/domain';
import { factsOf, type GrantState } from '@mayfly/grant';
import type { Decision, Policy } from '@mayfly/policy';
import { countShadow, type Standing } from '@mayfly/store';
import { ATTRIBUTES, histogram, METRICS } from '@mayfly/telemetry';
import type { Answer, Asked, Question } from './question.js';
import type { RememberedReads } from './remember-reads.js';

/** Why a call is permitted or not; a policy's reason, or one of ours. */
export interface Ruling extends Omit<Decision, 'reasons'> {
  readonly reasons: readonly string[];
}

/** A question with what was found about it. Only of the proven agent's own task there is anything to say. */
export interface Judged {
  readonly answer: Answer;
  readonly own?: { readonly question: Question; readonly standing: Standing; readonly ruling: Ruling };
}

/** What judging works with. */
export interface Bench {
  readonly agent: string;
  readonly standings: ReadonlyMap<string, Standing>;
  readonly policy: Policy | undefined;
  readonly reads: RememberedReads;
  readonly clock: Clock;
}

const duration = histogram(METRICS.decisionDuration);

/** Why nothing is permitted to a task that is not live. */
const NOT_LIVE: Readonly<Record<Exclude<GrantState, 'granted'>, string>> = {
  requested: 'not-ready',
  pending: 'pending-approval',
  denied: 'denied',
  closing: 'task-closed',
  closed: 'task-closed',
};

/** Decides one question by what is true now. Whatever is not clearly permitted is denied. */
export async function judge(bench: Bench, asked: Asked): Promise<Judged> {
  if ('error' in asked) return { answer: { decision: false, context: asked } };
  const standing = bench.standings.get(asked.taskId);
  // INVARIANT: an unknown task and another workload's look alike.
  if (!standing || standing.grant.agentId !== bench.agent || !bench.policy)
    return { answer: { decision: false, context: { reason: 'task-not-found' } } };
  return rule(asked, standing, await rulingOn(bench, bench.policy, asked, standing));
}

/** A question of the agent's own task with its ruling. */
export const rule = (question: Question, standing: Standing, ruling: Ruling): Judged => {
  const { id: decisionId, policyDigest, intentDigest } = ruling;
  const reason = ruling.reasons[0] ?? 'denied';
  return {
    answer: { decision: ruling.decision === 'permit', context: { reason, decisionId, policyDigest, intentDigest } },
    own: { question, standing, ruling },
  };
};

/** A refusal that is ours, not policy's. */
export const refusal = ({ grant, policy }: Standing, reason: string): Ruling => ({
  id: newDecisionId(),
  decision: 'deny',
  reasons: [reason],
  policies: [],
  policyDigest: policy?.digest ?? '',
  intentDigest: grant.intentDigest ?? '',
});

async function rulingOn({ agent, reads, clock }: Bench, { set, decider }: Policy, asked: Question, standing: Standing): Promise<Ruling> {
  const { grant } = standing;
  const at = clock.now();
  const { subject, call } = asked;
  if (grant.state !== 'granted') return refusal(standing, NOT_LIVE[grant.state]);
  if (!grant.request || !grant.deadline || grant.deadline <= at) return refusal(standing, 'task-closed');
  if (subject.type !== 'agent' || subject.id !== agent) return refusal(standing, 'subject-mismatch');
  const task = factsOf(grant, grant.request);
  const decide = async (): Promise<Decision> => {
    const startedAt = performance.now();
    const decision = await decider.decide({ action: 'call', call, task, at });
    duration.since(startedAt, { [ATTRIBUTES.decision]: decision.decision });
    countShadow(decision);
    return decision;
  };
  // INVARIANT: what writes is decided anew every time.
  const decision = await (set.access(call.tool, call.verb) === 'read' ? reads.decide(standing, call, decide) : decide());
  // INVARIANT: the plan is the one that was pinned at the start, whoever can write in the ledger.
  return decision.intentDigest === grant.intentDigest ? decision : refusal(standing, 'intent-changed');
}
