/**
 * `mayfly task start`
 * @module
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { IN_EVENTS, MayflyError, newEventId } from '@mayfly/domain';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { seconds } from '../durations.js';
import { readEndpoints } from '../endpoints.js';
import { NotSetUp } from '../errors.js';
import { credentialsText, type GrantView } from '../grant-view.js';
import { readRegularFile } from '../regular-file.js';
import { pairs } from '../show.js';
import { addOrchestratorOptions, signingOf, type OrchestratorOptions } from '../signing-options.js';
import { recordOf, sendTaskEvent, traceUrl, type TaskEvent } from '../task-event.js';
import { untilDecided } from '../until-decided.js';
import { answers, verb, type Answer } from '../verb.js';

interface Options extends OrchestratorOptions {
  readonly file: string;
  readonly id?: string;
  readonly wait?: number;
  readonly traceparent?: string;
}

/** Says that a task has started, as its orchestrator would. */
export function addTaskStart(task: Command, cli: Cli): void {
  addOrchestratorOptions(
    verb(task, 'start', 'say that a task has started, as its orchestrator would', [
      'task start --file deploy/policies/example/tasks/etl.json',
      'task start --file etl.json --id etl-0043 --wait 10s',
      'task start --file - --json < etl.json',
      'task start --file etl.json --source urn:example:signed-orchestrator --key deploy/local/dev-only-signed-orchestrator.jwk',
    ]).requiredOption('--file <file>', 'data of the task.started event as JSON; - reads standard input'),
  )
    .option('--id <taskId>', 'task id, instead of the one in the file')
    .option('--wait <time>', 'wait so long for the decision and show it', seconds)
    .option('--traceparent <value>', 'go on with this W3C trace instead of a new one')
    .action(answers(cli, (options: Options) => startTask(cli, options)));
}

async function startTask(cli: Cli, options: Options): Promise<Answer> {
  const { file, source, id, wait, traceparent } = options;
  const endpoints = readEndpoints(cli);
  const given = await readData(cli, file);
  const taskId = id ?? (typeof given['taskId'] === 'string' ? given['taskId'] : `task-${newEventId().slice(1, 13)}`);
  const event = { type: IN_EVENTS.taskStarted, source, taskId, data: { ...given, taskId }, signing: signingOf(cli, options) };
  await check(event);
  const sent = await sendTaskEvent(endpoints, event, traceparent);
  const grant = wait === undefined ? undefined : await untilDecided(await connectConsole(cli, 'viewer'), taskId, wait);
  const text = pairs({
    task: `${taskId} ${grant ? `is ${grant.state}` : 'started'}`,
    event: `${sent.id} from ${source}`,
    trace: traceUrl(endpoints, sent.traceId) ?? sent.traceId,
    next: `npx mayfly ${grant ? `timeline ${taskId}` : `fetch ${taskId} ${firstName(given) ?? 'NAME'}`}`,
  });
  return {
    data: { taskId, eventId: sent.id, traceId: sent.traceId, traceparent: sent.traceparent, ...(grant && { grant }) },
    text: grant ? `${text}\n\n${credentialsText(grant)}` : text,
    failed: grant?.state === 'denied',
  };
}

/** What would only become a dead letter is refused here, with its reason. */
async function check(event: TaskEvent): Promise<void> {
  const { readTaskEvent, RejectedEvent } = await import('@mayfly/task-events');
  const traceparent = `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`;
  const { key, value, headers } = await recordOf(event, { id: 'check', traceparent, prefix: 'check' });
  try {
    readTaskEvent({ key, headers, value: Buffer.from(value) });
  } catch (error) {
    if (!(error instanceof RejectedEvent)) throw error;
    throw new MayflyError(error.reason, `this start would be refused: ${error.detail}`, 400, false);
  }
}

async function readData(cli: Cli, file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = file === '-' ? await cli.input() : await readRegularFile(resolve(cli.cwd, file));
  if (text === undefined)
    throw new NotSetUp(
      `${file} is no regular file that can be read; name one with --file, or give the task.started data on standard input with --file -`,
    );
  const data = parsed(text);
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as Record<string, unknown>;
  throw new MayflyError(
    'not-json',
    `${file === '-' ? 'standard input' : file} does not hold one JSON object; see deploy/policies/example/tasks`,
    400,
    false,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstName({ credentials }: Readonly<Record<string, unknown>>): string | undefined {
  const [first] = (credentials ?? []) as readonly GrantView['credentials'][number][];
  return first?.name;
}
