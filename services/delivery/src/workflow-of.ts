import type { Grant } from '@mayfly/grant';
import type { PolicySet, Workflow } from '@mayfly/policy';

/** A task's workflow as it is registered now, whatever it was at the task's start. */
export const workflowOf = (set: PolicySet | undefined, { source, request }: Grant): Workflow | undefined =>
  set?.workflow(source, request?.workflow.name ?? '');
