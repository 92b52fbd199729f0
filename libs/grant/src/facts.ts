/**
 * What decisions about a live grant rest on.
 * @module
 */
import type { TaskFacts, TaskStart } from '@mayfly/domain';
import type { Grant } from './records.js';

/** The facts of a grant as they are now: what was declared at the start, with today's risk and behaviour. */
export const factsOf = (grant: Grant, request: TaskStart): TaskFacts => ({
  taskId: grant.taskId,
  tenant: grant.tenant,
  source: grant.source,
  workflow: request.workflow.name,
  agent: request.agent.id,
  intent: request.intent,
  risk: grant.risk,
  delegationDepth: grant.delegationDepth,
  behaviour: grant.behaviour,
  ...(request.initiator && { initiator: request.initiator }),
  ...(grant.initiatorOffboarded && { initiatorOffboarded: true }),
  ...(request.parentTaskId && { parentTaskId: request.parentTaskId }),
  ...(request.attempt !== undefined && { attempt: request.attempt }),
});
