/**
 * A question in Cedar's words. The entity types, actions and context fields here are the ones that
 * every policy set's `schema.cedarschema` has to declare.
 * @module
 */
import type { CedarValueJson, Context, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { KnownQuestion } from './refuse-by-registration.js';

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
const datetime = (at: Date): CedarValueJson => ({ __extn: { fn: 'datetime', arg: at.toISOString() } });
const entity = (type: string, id: string, attrs: Record<string, CedarValueJson>, parents: TypeAndId[] = []): EntityJson => ({
  uid: uid(type, id),
  attrs,
  parents,
});

/** Makes the Cedar request of a question whose every name is known. */
export function cedarRequest(question: KnownQuestion): CedarRequest {
  const { action, task, agent } = question;
  const target = targetOf(question);
  return {
    principal: uid('Agent', agent.id),
    action: uid('Action', action),
    resource: target.uid as TypeAndId,
    context: { ...contextOf(question), ...(question.action === 'call' && callContext(question)) },
    entities: [
      entity('Agent', agent.id, { tenant: agent.tenant, owner: agent.owner }),
      // Work may be handed on to the very same agent, and Cedar takes an entity once.
      ...(question.action === 'delegate' && question.to.id === agent.id ? [] : [target]),
      entity('Task', task.taskId, {}, task.parentTaskId === undefined ? [] : [uid('Task', task.parentTaskId)]),
      ...(task.initiator ? [entity('Initiator', task.initiator.id, { kind: task.initiator.kind })] : []),
    ],
  };
}

function targetOf(question: KnownQuestion): EntityJson {
  if (question.action === 'call') return entity('Resource', question.call.resource.id, { kind: question.call.resource.type });
  if (question.action === 'delegate') return entity('Agent', question.to.id, { tenant: question.to.tenant, owner: question.to.owner });
  const { name, engine, shape, dataClass, access } = question.capability;
  return entity('Capability', name, { engine, shape, dataClass, access });
}

function contextOf({ task, workflow, at }: KnownQuestion): Context {
  const { intent, initiator, parentTaskId, attempt, approval } = task;
  const { environment, autonomyTier } = workflow;
  return {
    task: reference('Task', task.taskId),
    tenant: task.tenant,
    source: task.source,
    workflow: workflow.name,
    // Free text: a forbid may look at it; a permit that does is refused when the set is loaded.
    purpose: intent.purpose,
    plan: intent.plan.map(({ action, resource }) => ({ action, resource })),
    tools: intent.plan.map(({ tool }) => reference('Tool', tool)),
    verbs: intent.plan.map(({ action }) => action),
    resources: intent.plan.map(({ resource }) => reference('Resource', resource)),
    hosts: intent.plan.flatMap(({ host }) => (host === undefined ? [] : [host])),
    risk: task.risk,
    behaviour: task.behaviour,
    delegationDepth: task.delegationDepth,
    at: datetime(at),
    // ISO 8601: Monday is 1, Sunday is 7.
    weekday: at.getUTCDay() || 7,
    hour: at.getUTCHours(),
    ...(intent.dataClass !== undefined && { dataClass: intent.dataClass }),
    ...(initiator && { initiator: reference('Initiator', initiator.id) }),
    ...(parentTaskId !== undefined && { parent: reference('Task', parentTaskId) }),
    ...(attempt !== undefined && { attempt }),
    ...(approval && { approval: { by: approval.by, at: datetime(approval.at) } }),
    // The registration's word, never the event's.
    ...(environment !== undefined && { environment }),
    ...(autonomyTier !== undefined && { autonomyTier }),
  };
}

const callContext = ({ call, access }: Extract<KnownQuestion, { action: 'call' }>): Context => ({
  tool: reference('Tool', call.tool),
  verb: call.verb,
  access,
  ...(call.host !== undefined && { host: call.host }),
});
