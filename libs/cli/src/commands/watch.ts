/**
 * `mayfly watch`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { colourOf, describeData, shortKind } from '../describe-event.js';
import { readEndpoints } from '../endpoints.js';
import { clockTime, paint, plain } from '../show.js';
import { tailOutcomes, type Outcome } from '../tail-outcomes.js';
import { verb } from '../verb.js';

interface Options {
  readonly task?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Shows grants, credentials and revocations while they happen. */
export function addWatch(program: Command, cli: Cli): void {
  verb(program, 'watch', 'show grants, credentials and revocations while they happen, until Ctrl-C', [
    'watch',
    'watch --task etl-0042 --all',
    'watch --json',
  ])
    .option('--task <taskId>', 'of this task only')
    .option('--all', 'begin with what Kafka still has, not with now')
    .action(({ task, all, json }: Options) =>
      tailOutcomes(readEndpoints(cli), {
        task,
        since: all ? new Date(0) : new Date(),
        tell: (outcome) => cli.out(`${json ? JSON.stringify(outcome) : line(outcome, cli.colour)}\n`),
        onReading: () => cli.err('watching; Ctrl-C ends it\n'),
        ending: cli.ending(),
      }),
    );
}

const line = ({ type, time, subject, data }: Outcome, colour: boolean): string =>
  `${clockTime(time)}  ${plain(subject)}  ${paint(colour, colourOf(type), shortKind(type))}  ${describeData(data)}`.trimEnd();
