/**
 * Whether a task said at its start that it would do this.
 * @module
 */
import type { PlanStep } from '@mayfly/domain';
import type { ToolCall } from './question.js';

/** True when one step of the plan names this tool, verb, resource and host, character by character; no host is a host of its own. */
export const isOnPlan = (plan: readonly PlanStep[], { tool, verb, resource, host }: ToolCall): boolean =>
  plan.some((step) => step.tool === tool && step.action === verb && step.resource === resource.id && step.host === host);
