/**
 * `mayfly task heartbeat`
 * @module
 */
import type { Command } from 'commander';
import { IN_EVENTS, taskId as checked } from '@mayfly/domain';
import type { Cli } from '../cli.js';
import { readEndpoints } from '../endpoints.js';
import { sendTaskEvent } from '../task-event.js';
import { answers, verb } from '../verb.js';

/** Says that a task is alive, as its orchestrator would. */
export function addTaskHeartbeat(task: Command, cli: Cli): void {
  verb(task, 'heartbeat <taskId>', 'say that a task is alive', ['task heartbeat etl-0042'])
    .option('--source <urn>', "the orchestrator's registered name", 'urn:example:orchestrator')
    .action(
      answers(cli, async (id: string, { source }: { readonly source: string }) => {
        const taskId = checked(id);
        const sent = await sendTaskEvent(readEndpoints(cli), { type: IN_EVENTS.taskHeartbeat, source, taskId, data: { taskId } });
        return { data: { taskId, eventId: sent.id }, text: `task ${taskId}: heartbeat sent as event ${sent.id}` };
      }),
    );
}
