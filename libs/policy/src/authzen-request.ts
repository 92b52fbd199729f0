/**
 * A question in AuthZEN's words (Authorization API 1.0), for a decider elsewhere.
 * @module
 */
import type { KnownQuestion } from './refuse-by-registration.js';

interface Entity {
  readonly type: string;
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Body of an access evaluation request. Types, ids and context are those of the Cedar schema, in JSON. */
export interface AuthzenRequest {
  readonly subject: Entity;
  readonly action: { readonly name: string; readonly properties?: Readonly<Record<string, unknown>> };
  readonly resource: Entity;
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * Makes the request of a question whose every name is known. The purpose is not in it: nobody here can check that a policy elsewhere does
 * not permit by it, and free text is never authority.
 */
export function authzenRequest(question: KnownQuestion): AuthzenRequest {
  const { agent, action } = question;
  return {
    subject: agentEntity(agent),
    action:
      question.action === 'call'
        ? {
            name: action,
            properties: { tool: question.call.tool, verb: question.call.verb, access: question.access, host: question.call.host },
          }
        : { name: action },
    resource: resourceOf(question),
    context: contextOf(question),
  };
}

const agentEntity = ({ id, tenant, owner }: KnownQuestion['agent']): Entity => ({ type: 'agent', id, properties: { tenant, owner } });

function resourceOf(question: KnownQuestion): Entity {
  if (question.action === 'call')
    return { type: 'resource', id: question.call.resource.id, properties: { kind: question.call.resource.type } };
  if (question.action === 'delegate') return agentEntity(question.to);
  const { name, engine, shape, dataClass, access } = question.capability;
  return { type: 'capability', id: name, properties: { engine, shape, dataClass, access } };
}

/** What is undefined is left out by JSON. */
const contextOf = ({ task, workflow, at }: KnownQuestion): Record<string, unknown> => ({
  taskId: task.taskId,
  parentTaskId: task.parentTaskId,
  tenant: task.tenant,
  source: task.source,
  workflow: workflow.name,
  environment: workflow.environment,
  autonomyTier: workflow.autonomyTier,
  dataClass: task.intent.dataClass,
  plan: task.intent.plan.map(({ tool, action, resource, host }) => ({ tool, action, resource, host })),
  initiator: task.initiator && { id: task.initiator.id, kind: task.initiator.kind },
  risk: task.risk,
  behaviour: task.behaviour,
  delegationDepth: task.delegationDepth,
  attempt: task.attempt,
  approval: task.approval && { by: task.approval.by, at: task.approval.at.toISOString() },
  at: at.toISOString(),
  // ISO 8601: Monday is 1, Sunday is 7.
  weekday: at.getUTCDay() || 7,
  hour: at.getUTCHours(),
});
