/**
 * What is refused before any policy is asked.
 * @module
 */
import { BEHAVIOURS, type Access, type Capability } from '@mayfly/domain';
import type { Reason } from './decision.js';
import { isOnPlan } from './is-on-plan.js';
import { opensTheSame } from './opens-the-same.js';
import type { Agent, PolicySet, Workflow } from './policy-set.js';
import type { CallQuestion, CapabilityQuestion, DecisionQuestion, DelegateQuestion } from './question.js';

/** A question whose every name is registered, with the registrations: this is what policies are asked. */
export type KnownQuestion = { readonly agent: Agent; readonly workflow: Workflow } & (
  | (Omit<CapabilityQuestion, 'capability'> & { readonly capability: Capability })
  | (CallQuestion & { readonly access: Access })
  | (Omit<DelegateQuestion, 'to'> & { readonly to: Agent })
);

/** The reason why a question is refused. */
export interface Refused {
  readonly refused: Reason;
}

/**
 * Looks the question's source, workflow, agent and capability up. What an event claims is never authority: whoever is not registered for
 * exactly this is refused, and so is what a task may do no more, whatever the policies say.
 */
export function refuseByRegistration(set: PolicySet, question: DecisionQuestion): KnownQuestion | Refused {
  const { task } = question;
  const orchestrator = set.orchestrator(task.source);
  if (!orchestrator) return { refused: 'unregistered-source' };
  const workflow = set.workflow(task.source, task.workflow);
  if (!workflow) return { refused: 'unregistered-workflow' };
  const agent = set.agent(task.agent);
  if (!agent) return { refused: 'unregistered-agent' };
  if (task.tenant !== orchestrator.tenant || agent.tenant !== orchestrator.tenant) return { refused: 'tenant-mismatch' };
  if (!workflow.agents.includes(agent.id)) return { refused: 'agent-not-allowed' };
  const reason = refuseAgent(set, agent);
  if (reason) return { refused: reason };
  if (task.initiator && (task.initiatorOffboarded || set.isOffboarded(task.initiator.id))) return { refused: 'initiator-offboarded' };
  const known = knownTarget(set, question, agent, workflow);
  return 'refused' in known ? known : refuseByBehaviour(known);
}

function refuseAgent(set: PolicySet, agent: Agent): Reason | undefined {
  if (agent.status !== 'active') return 'agent-suspended';
  return set.isOffboarded(agent.owner) ? 'agent-owner-gone' : undefined;
}

function knownTarget(set: PolicySet, question: DecisionQuestion, agent: Agent, workflow: Workflow): KnownQuestion | Refused {
  switch (question.action) {
    case 'call':
      if (!isOnPlan(question.task.intent.plan, question.call)) return { refused: 'off-plan' };
      return { ...question, agent, workflow, access: set.access(question.call.tool, question.call.verb) };
    case 'delegate': {
      const to = set.agent(question.to);
      if (!to) return { refused: 'unregistered-agent' };
      if (to.tenant !== agent.tenant) return { refused: 'tenant-mismatch' };
      const refused = refuseAgent(set, to);
      return refused ? { refused } : { ...question, agent, workflow, to };
    }
    default: {
      const capability = set.capability(question.capability);
      if (!capability) return { refused: 'unknown-capability' };
      if (question.pinned && !opensTheSame(question.pinned, capability)) return { refused: 'catalogue-changed' };
      return { ...question, agent, workflow, capability };
    }
  }
}

/** A narrowed task may only read; what it would hand on could do more than that. */
function refuseByBehaviour(known: KnownQuestion): KnownQuestion | Refused {
  const { behaviour } = known.task;
  if (!BEHAVIOURS.includes(behaviour)) throw new TypeError('a behaviour that nobody knows');
  if (behaviour === 'suspended') return { refused: 'task-suspended' };
  if (behaviour === 'narrowed' && accessOf(known) === 'write') return { refused: 'task-narrowed' };
  return known;
}

function accessOf(known: KnownQuestion): Access {
  if (known.action === 'call') return known.access;
  return known.action === 'delegate' || known.capability.access !== 'read' ? 'write' : 'read';
}
