/**
 * What decisions about a live grant rest on.
 * @module
 */
import type { Initiator, Intent, TaskStart } from '@mayfly/domain';
import type { Grant } from './records.js';

/** The facts of one task, as a decider takes them. */
export interface GrantFacts {
  readonly taskId: string;
  readonly tenant: string;
  readonly source: string;
  readonly workflow: string;
  readonly agent: string;
  readonly initiator?: Initiator;
  readonly intent: Intent;
  readonly risk: number;
  readonly parentTaskId?: string;
  readonly delegationDepth: number;
}

/** The facts of a grant as they are now: what was declared at the start, with today's risk. */
export const factsOf = (grant: Grant, request: TaskStart): GrantFacts => ({
  taskId: grant.taskId,
  tenant: grant.tenant,
  source: grant.source,
  workflow: request.workflow.name,
  agent: request.agent.id,
  intent: request.intent,
  risk: grant.risk,
  delegationDepth: grant.delegationDepth,
  ...(request.initiator && { initiator: request.initiator }),
  ...(request.parentTaskId && { parentTaskId: request.parentTaskId }),
});
