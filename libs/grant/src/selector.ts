/**
 * Whom a kill switch means.
 * @module
 */
import type { TaskStart } from '@mayfly/domain';

/** What a selector can name. */
export const SELECTOR_FIELDS = ['taskId', 'agent', 'initiator', 'capability', 'workflow', 'tenant'] as const;
/** One of {@link SELECTOR_FIELDS}. */
export type SelectorField = (typeof SELECTOR_FIELDS)[number];

/** All tasks of which this field has this value. */
export interface Selector {
  readonly field: SelectorField;
  readonly value: string;
}

/** True when a task that asks to start is one of those that the selector means. */
export function selects({ field, value }: Selector, task: TaskStart, tenant: string): boolean {
  switch (field) {
    case 'taskId':
      return task.taskId === value;
    case 'agent':
      return task.agent.id === value;
    case 'initiator':
      return task.initiator?.id === value;
    case 'workflow':
      return task.workflow.name === value;
    case 'tenant':
      return tenant === value;
    case 'capability':
      return task.credentials.some(({ capability }) => capability === value);
  }
}
