/**
 * `mayfly timeline`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { colourOf, describeData, shortKind } from '../describe-event.js';
import { readEndpoints } from '../endpoints.js';
import { credentialsText, type GrantView } from '../grant-view.js';
import { clockTime, paint, pairs } from '../show.js';
import { traceUrl } from '../task-event.js';
import { answers, verb } from '../verb.js';

interface Timeline {
  readonly taskId: string;
  readonly grant?: GrantView;
  readonly entries: readonly {
    readonly at: string;
    readonly kind: string;
    readonly by: string;
    readonly data: Readonly<Record<string, unknown>>;
    readonly index?: number;
  }[];
}

/** Tells everything that happened for a task. */
export function addTimeline(program: Command, cli: Cli): void {
  verb(program, 'timeline <taskId>', 'tell everything that happened for a task, in order', [
    'timeline etl-0042',
    'timeline etl-0042 --json',
  ])
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, async (taskId: string, { as }: { readonly as?: string }) => {
        const endpoints = readEndpoints(cli);
        const timeline = await (
          await connectConsole(cli, 'viewer', as, endpoints)
        ).get<Timeline>(`/v1/tasks/${encodeURIComponent(taskId)}/timeline`);
        const traceId = timeline.grant?.traceId;
        return { data: timeline, text: textOf(timeline, cli.colour, traceId && (traceUrl(endpoints, traceId) ?? traceId)) };
      }),
    );
}

function textOf({ taskId, grant, entries }: Timeline, colour: boolean, trace: string | undefined): string {
  const began = entries[0] && Date.parse(entries[0].at);
  const lines = entries.map(({ at, kind, by, data }) => {
    const after = `+${((Date.parse(at) - (began ?? 0)) / 1000).toFixed(3)}`;
    const name = paint(colour, colourOf(kind), shortKind(kind).padEnd(31));
    return `${clockTime(at)} ${after.padStart(9)}  ${by.padEnd(8)}  ${name} ${describeData(data)}`.trimEnd();
  });
  const head = pairs({
    task: `${taskId}${grant ? ` is ${grant.state}` : ''}`,
    agent: grant?.agent,
    initiator: grant?.initiator?.id,
    trace,
  });
  return [head, ...(grant ? [credentialsText(grant)] : []), lines.join('\n')].join('\n\n');
}
