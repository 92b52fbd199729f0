/**
 * `mayfly task end`
 * @module
 */
import { Option, type Command } from 'commander';
import { IN_EVENTS, taskId as checked } from '@mayfly/domain';
import type { Cli } from '../cli.js';
import { readEndpoints } from '../endpoints.js';
import { pairs } from '../show.js';
import { addOrchestratorOptions, signingOf, type OrchestratorOptions } from '../signing-options.js';
import { sendTaskEvent, traceUrl } from '../task-event.js';
import { answers, verb, type Answer } from '../verb.js';

interface Options extends OrchestratorOptions {
  readonly outcome: string;
  readonly reason?: string;
  readonly traceparent?: string;
}

/** Says that a task has ended, as its orchestrator would. */
export function addTaskEnd(task: Command, cli: Cli): void {
  addOrchestratorOptions(
    verb(task, 'end <taskId>', 'say that a task has ended: all of its credentials are revoked', [
      'task end etl-0042',
      'task end etl-0042 --outcome failed --reason "the source was empty"',
    ])
      .addOption(
        new Option('--outcome <outcome>', 'how it ended').choices(['succeeded', 'failed', 'cancelled', 'timed_out']).default('succeeded'),
      )
      .option('--reason <text>', 'why, in words'),
  )
    .option('--traceparent <value>', 'go on with this W3C trace instead of a new one')
    .action(answers(cli, (taskId: string, options: Options) => endTask(cli, taskId, options)));
}

async function endTask(cli: Cli, id: string, options: Options): Promise<Answer> {
  const { outcome, reason, source, traceparent } = options;
  const endpoints = readEndpoints(cli);
  const taskId = checked(id);
  const data = { taskId, outcome, ...(reason !== undefined && { reason }) };
  const sent = await sendTaskEvent(
    endpoints,
    { type: IN_EVENTS.taskEnded, source, taskId, data, signing: signingOf(cli, options) },
    traceparent,
  );
  return {
    data: { taskId, outcome, eventId: sent.id, traceId: sent.traceId, traceparent: sent.traceparent },
    text: pairs({
      task: `${taskId} ended: ${outcome}`,
      event: `${sent.id} from ${source}`,
      trace: traceUrl(endpoints, sent.traceId) ?? sent.traceId,
      next: `npx mayfly timeline ${taskId}`,
    }),
  };
}
