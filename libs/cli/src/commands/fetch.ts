/**
 * `mayfly fetch`
 * @module
 */
import type { KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { createAgentClient, type DeliveredSecret } from '@mayfly/agent-client';
import { MayflyError } from '@mayfly/domain';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { seconds } from '../durations.js';
import { known, readEndpoints } from '../endpoints.js';
import { WrongUsage } from '../errors.js';
import { pairs, plain } from '../show.js';
import { findGrant, untilDecided } from '../until-decided.js';
import { answers, verb, type Answer } from '../verb.js';
import { AUDIENCE } from './dev-token.js';

interface Options {
  readonly wait: number;
  readonly agent?: string;
  readonly token?: string;
  readonly field?: string;
  readonly dpop?: string;
}

/** Fetches a task's secret, as its agent would. */
export function addFetch(program: Command, cli: Cli): void {
  verb(program, 'fetch <taskId> <name>', "fetch one of a task's secrets, as its agent would", [
    'fetch etl-0042 orders',
    'fetch etl-0042 orders --agent spiffe://example.org/agent/reporter   (refused: not its task)',
    'fetch etl-0042 orders --field password',
    'fetch etl-0042 orders --dpop own.pem   (with a token bound to that key, and proofs by it)',
  ])
    .option('--wait <time>', 'wait so long for the secret to be there', seconds, 10)
    .option('--agent <id>', "ask as this agent of the dev trust domain; default: the task's own")
    .option('--token <jwt>', 'ask with this token; or set MAYFLY_TOKEN, which does not show in lists of processes')
    .option('--dpop <file>', "the agent's private key (EC P-256, JWK or PEM) that the token is bound to")
    .option('--field <name>', 'print one field of the secret only')
    .action(answers(cli, (taskId: string, name: string, options: Options) => fetchSecret(cli, taskId, name, options)));
}

async function fetchSecret(cli: Cli, taskId: string, name: string, options: Options): Promise<Answer> {
  if (options.token !== undefined && options.agent !== undefined) throw new WrongUsage('give --agent or --token, not both');
  const endpoints = readEndpoints(cli);
  const token =
    options.token ?? (options.agent === undefined ? cli.env['MAYFLY_TOKEN'] : undefined) ?? (await devToken(cli, taskId, options));
  const proofKey = options.dpop === undefined ? undefined : await proofKeyOf(cli, options.dpop);
  const client = createAgentClient({ url: known(endpoints, 'delivery'), token: () => token, ...(proofKey && { proofKey }) });
  const secret = await client.secret(taskId, name, { waitSeconds: options.wait });
  return show(secret, options.field);
}

/** A token of the named agent, else of the agent whose task it is. */
async function devToken(cli: Cli, taskId: string, { agent, wait, dpop }: Options): Promise<string> {
  const keyFile = known(readEndpoints(cli), 'agentKeyFile');
  const subject = agent ?? (await ownAgent(cli, taskId, wait));
  const { signSvid } = await import('../sign-svid.js');
  return (await signSvid(keyFile, { subject, audience: AUDIENCE, ttlSeconds: 60, boundTo: dpop && resolve(cli.cwd, dpop) })).token;
}

async function proofKeyOf(cli: Cli, file: string): Promise<KeyObject> {
  const { readProofKey } = await import('../sign-svid.js');
  return readProofKey(resolve(cli.cwd, file));
}

async function ownAgent(cli: Cli, taskId: string, wait: number): Promise<string> {
  const operators = await connectConsole(cli, 'viewer');
  const grant = (await findGrant(operators, taskId)) ?? (await untilDecided(operators, taskId, wait));
  if (grant.agent) return grant.agent;
  throw new MayflyError('task-closed', 'the task ended before it started; start a new task with a new id', 410, false);
}

function show(secret: DeliveredSecret, field: string | undefined): Answer {
  const { data } = secret;
  if (field === undefined)
    return { data: { ...secret, data }, text: pairs({ ...texts(data), expires: secret.expiresAt, lease: secret.leaseRef }) };
  const value = data[field];
  if (value === undefined)
    throw new MayflyError(
      'no-such-field',
      `the secret has no field \`${plain(field)}\`; it has ${Object.keys(data).join(', ')}`,
      404,
      false,
    );
  return { data: { [field]: value }, text: textOf(value) };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const texts = (data: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([name, value]) => [name, textOf(value)]));
