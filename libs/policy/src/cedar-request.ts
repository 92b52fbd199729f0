/**
 * A question in Cedar's words. The entity types, actions and context fields here are the ones that
 * every policy set's `schema.cedarschema` has to declare.
 * @module
 */
import type { CedarValueJson, Context, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { Capability, TaskFacts } from '@mayfly/domain';
import type { Agent } from './policy-set.js';
import type { DecisionQuestion } from './question.js';

/** What Cedar is asked, without the policies. */
export interface CedarRequest {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: Context;
  readonly entities: EntityJson[];
}

const uid = (type: string, id: string): TypeAndId => ({ type: `Mayfly::${type}`, id });
const reference = (type: string, id: string): CedarValueJson => ({ __entity: uid(type, id) });
const entity = (type: string, id: string, attrs: Record<string, CedarValueJson>, parents: TypeAndId[] = []): EntityJson => ({
  uid: uid(type, id),
  attrs,
  parents,
});

type AgentFacts = Pick<Agent, 'id' | 'tenant' | 'owner'>;
type CapabilityFacts = Pick<Capability, 'name' | 'engine' | 'shape' | 'dataClass'>;

/** Makes the Cedar request of a question whose agent and capability are known. */
export function cedarRequest({ action, task, at }: DecisionQuestion, agent: AgentFacts, capability: CapabilityFacts): CedarRequest {
  const { engine, shape, dataClass } = capability;
  return {
    principal: uid('Agent', agent.id),
    action: uid('Action', action),
    resource: uid('Capability', capability.name),
    context: contextOf(task, at),
    entities: [
      entity('Agent', agent.id, { tenant: agent.tenant, owner: agent.owner }),
      entity('Capability', capability.name, { engine, shape, dataClass }),
      entity('Task', task.taskId, {}, task.parentTaskId === undefined ? [] : [uid('Task', task.parentTaskId)]),
      ...(task.initiator ? [entity('Initiator', task.initiator.id, { kind: task.initiator.kind })] : []),
    ],
  };
}

function contextOf(task: TaskFacts, at: Date): Context {
  const { intent, initiator, parentTaskId, attempt } = task;
  return {
    task: reference('Task', task.taskId),
    tenant: task.tenant,
    source: task.source,
    workflow: task.workflow,
    // Free text: in the context so that a forbid may look at it, never a reason to permit.
    purpose: intent.purpose,
    plan: intent.plan.map(({ action, resource }) => ({ action, resource })),
    tools: intent.plan.map(({ tool }) => reference('Tool', tool)),
    risk: task.risk,
    delegationDepth: task.delegationDepth,
    at: { __extn: { fn: 'datetime', arg: at.toISOString() } },
    ...(intent.dataClass !== undefined && { dataClass: intent.dataClass }),
    ...(initiator && { initiator: reference('Initiator', initiator.id) }),
    ...(parentTaskId !== undefined && { parent: reference('Task', parentTaskId) }),
    ...(attempt !== undefined && { attempt }),
  };
}
