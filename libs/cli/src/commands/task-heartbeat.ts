/**
 * `mayfly task heartbeat`
 * @module
 */
import type { Command } from 'commander';
import { IN_EVENTS, taskId as checked } from '@mayfly/domain';
import type { Cli } from '../cli.js';
import { readEndpoints } from '../endpoints.js';
import { addOrchestratorOptions, signingOf, type OrchestratorOptions } from '../signing-options.js';
import { sendTaskEvent } from '../task-event.js';
import { answers, verb } from '../verb.js';

/** Says that a task is alive, as its orchestrator would. */
export function addTaskHeartbeat(task: Command, cli: Cli): void {
  addOrchestratorOptions(verb(task, 'heartbeat <taskId>', 'say that a task is alive', ['task heartbeat etl-0042'])).action(
    answers(cli, async (id: string, options: OrchestratorOptions) => {
      const taskId = checked(id);
      const event = { type: IN_EVENTS.taskHeartbeat, source: options.source, taskId, data: { taskId }, signing: signingOf(cli, options) };
      const sent = await sendTaskEvent(readEndpoints(cli), event);
      return { data: { taskId, eventId: sent.id }, text: `task ${taskId}: heartbeat sent as event ${sent.id}` };
    }),
  );
}
