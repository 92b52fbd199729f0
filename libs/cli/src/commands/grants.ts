/**
 * `mayfly grants`
 * @module
 */
import { InvalidArgumentError, type Command } from 'commander';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import type { GrantView } from '../grant-view.js';
import { plain, table } from '../show.js';
import { answers, verb } from '../verb.js';

interface Options {
  readonly state?: string;
  readonly agent?: string;
  readonly initiator?: string;
  readonly capability?: string;
  readonly workflow?: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly as?: string;
}

/** Lists grants, newest first. */
export function addGrants(program: Command, cli: Cli): void {
  verb(program, 'grants', 'list what tasks were allowed, newest first', [
    'grants',
    'grants --state granted --agent spiffe://example.org/agent/etl',
    'grants --capability orders-db.read --limit 5 --json',
  ])
    .option('--state <state>', 'requested, denied, pending, granted, closing or closed')
    .option('--agent <id>', 'of this agent')
    .option('--initiator <id>', 'on behalf of this person or service')
    .option('--capability <name>', 'that hold this capability')
    .option('--workflow <name>', 'of this workflow')
    .option('--limit <count>', 'so many at most', count, 20)
    .option('--cursor <text>', 'go on where the last list ended')
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, async ({ as, state, agent, initiator, capability, workflow, limit, cursor }: Options) => {
        const operators = await connectConsole(cli, 'viewer', as);
        const query = { state, agent, initiator, capability, workflow, limit, cursor };
        const found = await operators.get<{ grants: readonly GrantView[]; cursor?: string }>('/v1/grants', query);
        return { data: found, text: textOf(found) };
      }),
    );
}

function textOf({ grants, cursor }: { readonly grants: readonly GrantView[]; readonly cursor?: string }): string {
  if (grants.length === 0) return 'no grants; start a task with npx mayfly task start --file deploy/policies/example/tasks/etl.json';
  const rows = grants.map((grant) => [
    grant.taskId,
    grant.state,
    grant.workflow?.name ?? '-',
    grant.agent,
    grant.initiator?.id ?? '-',
    grant.openedAt.slice(0, 19).replace('T', ' '),
    grant.credentials.map(({ name, state }) => `${name}:${state}`).join(' '),
  ]);
  const list = table(
    ['task', 'state', 'workflow', 'agent', 'initiator', 'opened (UTC)', 'credentials'],
    rows.map((row) => row.map(plain)),
  );
  return cursor === undefined ? list : `${list}\n\nmore: npx mayfly grants --cursor ${cursor}`;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return value;
}
