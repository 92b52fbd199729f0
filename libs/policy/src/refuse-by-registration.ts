/**
 * What is refused before any policy is asked.
 * @module
 */
import type { Capability } from '@mayfly/domain';
import type { Reason } from './decision.js';
import type { Agent, PolicySet } from './policy-set.js';
import type { DecisionQuestion } from './question.js';

/** A question whose every name is registered, or the reason why it is refused. */
export type Registered = { readonly agent: Agent; readonly capability: Capability } | { readonly refused: Reason };

/**
 * Looks the question's source, workflow, agent and capability up. What an event claims is never
 * authority: whoever is not registered for exactly this is refused, whatever the policies say.
 */
export function refuseByRegistration(set: PolicySet, { task, capability: wanted }: DecisionQuestion): Registered {
  const orchestrator = set.orchestrator(task.source);
  if (!orchestrator) return { refused: 'unregistered-source' };
  const workflow = set.workflow(task.source, task.workflow);
  if (!workflow) return { refused: 'unregistered-workflow' };
  const agent = set.agent(task.agent);
  if (!agent) return { refused: 'unregistered-agent' };
  if (task.tenant !== orchestrator.tenant || agent.tenant !== orchestrator.tenant) return { refused: 'tenant-mismatch' };
  if (!workflow.agents.includes(agent.id)) return { refused: 'agent-not-allowed' };
  if (agent.status !== 'active') return { refused: 'agent-suspended' };
  const capability = set.capability(wanted);
  if (!capability) return { refused: 'unknown-capability' };
  return { agent, capability };
}
