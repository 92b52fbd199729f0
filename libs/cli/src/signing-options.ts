/**
 * The options of commands that speak as an orchestrator.
 * @module
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Cli } from './cli.js';
import type { Signing } from './task-event.js';

/** What the options hold. */
export interface OrchestratorOptions {
  readonly source: string;
  readonly key?: string;
  readonly audience?: string;
}

/** Adds who speaks, and with which key. */
export const addOrchestratorOptions = (command: Command): Command =>
  command
    .option('--source <urn>', "the orchestrator's registered name", 'urn:example:orchestrator')
    .option('--key <file>', "sign the event with the orchestrator's private key (JWK or PEM)")
    .option('--audience <name>', 'the installation that the event is signed for; its topic prefix unless it says otherwise');

/** How the event is signed; undefined without a key. */
export const signingOf = ({ cwd }: Pick<Cli, 'cwd'>, { key, audience }: OrchestratorOptions): Signing | undefined =>
  key === undefined ? undefined : { keyFile: resolve(cwd, key), audience };
