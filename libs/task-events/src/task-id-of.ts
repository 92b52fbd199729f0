/**
 * Which task a message is about.
 * @module
 */
import type { TaskId } from '@mayfly/domain';
import type { TaskContent } from './messages.js';

/** The task id of any task message. */
export function taskIdOf(content: TaskContent): TaskId {
  switch (content.kind) {
    case 'started':
      return content.task.taskId;
    case 'ended':
      return content.end.taskId;
    case 'heartbeat':
      return content.taskId;
  }
}
