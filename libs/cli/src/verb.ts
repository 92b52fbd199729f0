/**
 * What all commands have in common: `--json`, examples, and how an answer is shown.
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from './cli.js';

/** What a command has to say. */
export interface Answer {
  /** For programs: the one JSON document of `--json`. */
  readonly data: unknown;
  /** For people, without the last line break. */
  readonly text: string;
  /** True when what was asked for is not so: exit code 1. */
  readonly failed?: boolean;
}

/** Thrown after the answer was shown, to end with exit code 1. */
export class AnsweredNo extends Error {}

/** Adds a command to its parent. */
export function verb(parent: Command, signature: string, summary: string, examples: readonly string[]): Command {
  return parent
    .command(signature)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .option('--json', 'answer as JSON')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ mayfly ${line}`).join('\n')}`);
}

/** The action of a command that has one answer. `act` gets the command's arguments, then its options. */
export const answers =
  <Given extends unknown[]>(cli: Cli, act: (...given: Given) => Promise<Answer>) =>
  async (...given: unknown[]): Promise<void> => {
    const command = given.pop() as Command;
    const { data, text, failed } = await act(...(given as Given));
    cli.out(`${command.opts()['json'] ? JSON.stringify(data, null, 2) : text}\n`);
    if (failed) throw new AnsweredNo();
  };
