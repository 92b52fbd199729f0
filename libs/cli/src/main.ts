/**
 * The command line from its arguments to its exit code.
 * @module
 */
import { CommanderError } from 'commander';
import { MayflyProblem } from '@mayfly/agent-client';
import { MayflyError } from '@mayfly/domain';
import type { Cli } from './cli.js';
import { WrongUsage } from './errors.js';
import { buildProgram } from './program.js';
import { AnsweredNo } from './verb.js';

/** Exit codes: done; refused or failed; wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** Runs one command. Never rejects: what went wrong is one sentence on standard error. */
export async function main(args: readonly string[], cli: Cli): Promise<ExitCode> {
  try {
    await buildProgram(cli).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof AnsweredNo) return 1;
    // Commander has said what is wrong, or shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    cli.err(`${args.includes('--json') ? JSON.stringify({ error: described(error) }) : `mayfly: ${sentence(error)}`}\n`);
    return error instanceof WrongUsage ? 2 : 1;
  }
}

const isNamed = (error: unknown): error is MayflyError | MayflyProblem => error instanceof MayflyError || error instanceof MayflyProblem;

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!isNamed(error)) return `unexpected: ${text}`;
  const { decisionId } = described(error) as { decisionId?: string };
  return decisionId === undefined ? `${text} (${error.code})` : `${text} (${error.code}, decision ${decisionId})`;
}

function described(error: unknown): Readonly<Record<string, unknown>> {
  if (!isNamed(error)) return { code: 'unexpected', message: sentence(error) };
  const { code, status, message } = error;
  const { retryAfterSeconds, decisionId } = error instanceof MayflyError ? error.extras : error;
  return {
    code,
    status,
    message,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(decisionId !== undefined && { decisionId }),
  };
}
