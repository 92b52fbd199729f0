/**
 * `mayfly revoke`
 * @module
 */
import type { Command } from 'commander';
import { confirmed, type Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { seconds } from '../durations.js';
import { WrongUsage } from '../errors.js';
import { followOrder, orderText } from '../follow-order.js';
import { plain } from '../show.js';
import { answers, verb, type Answer } from '../verb.js';

/** Option to the selector's field in the operators' API. */
const SELECTORS = {
  task: 'taskId',
  agent: 'agent',
  initiator: 'initiator',
  capability: 'capability',
  workflow: 'workflow',
  tenant: 'tenant',
} as const;

type Options = Partial<Record<keyof typeof SELECTORS, string>> & {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** Seconds; false for `--no-wait`. */
  readonly wait: number | false;
  readonly as?: string;
};

interface Revoked {
  readonly dryRun: boolean;
  readonly count: number;
  readonly tasks: readonly string[];
  /** Absent for a dry run. */
  readonly id?: string;
}

/** The kill switch. */
export function addRevoke(program: Command, cli: Cli): void {
  verb(program, 'revoke', 'end live tasks at once: the kill switch', [
    'revoke --task etl-0042 --reason "wrong source"',
    'revoke --agent spiffe://example.org/agent/etl --reason "key leaked" --dry-run',
    'revoke --capability orders-db.write --reason "incident 17" --yes --wait 5m',
  ])
    .option('--task <taskId>', 'this task')
    .option('--agent <id>', 'all tasks of this agent')
    .option('--initiator <id>', 'all tasks on behalf of this person or service')
    .option('--capability <name>', 'all tasks that hold this capability')
    .option('--workflow <name>', 'all tasks of this workflow')
    .option('--tenant <name>', 'all tasks of this tenant')
    .requiredOption('--reason <text>', 'why; it is kept as evidence')
    .option('--dry-run', 'only say what would end')
    .option('--yes', 'do not ask; without a terminal nobody is asked either: it is done at once')
    .option('--wait <time>', 'watch for so long until the last credential is over', seconds, 60)
    .option('--no-wait', 'do not watch')
    .option('--as <operator>', 'example operator to act as')
    .action(answers(cli, (options: Options) => revoke(cli, options)));
}

async function revoke(cli: Cli, options: Options): Promise<Answer> {
  const selector = selectorOf(options);
  const operators = await connectConsole(cli, 'operator', options.as);
  const ask = (dryRun: boolean): Promise<Revoked> =>
    operators.post<Revoked>('/v1/revocations', { selector, reason: options.reason, dryRun });
  if (options.dryRun) return told(await ask(true), 'would end');
  if (!options.yes && cli.interactive) {
    const would = await ask(true);
    if (!(await confirmed(cli, `End ${described(would)}?`)))
      return { data: { ...would, count: 0, tasks: [] }, text: 'nothing was ended', failed: true };
  }
  const ended = await ask(false);
  if (ended.count === 0 || ended.id === undefined || options.wait === false) return told(ended, 'ended');
  const order = await followOrder(cli, operators, ended.id, options.wait);
  return { data: { ...ended, ...order }, text: `${told(ended, 'ended').text}\n${orderText(order)}`, failed: order.state !== 'dark' };
}

function selectorOf(options: Options): Readonly<Record<string, string>> {
  const given = Object.entries(SELECTORS).flatMap(([option, field]) => {
    const value = options[option as keyof typeof SELECTORS];
    return value === undefined ? [] : [[field, value] as const];
  });
  if (given.length !== 1)
    throw new WrongUsage('what shall end? give exactly one of --task, --agent, --initiator, --capability, --workflow, --tenant');
  return Object.fromEntries(given);
}

const MOST_NAMED = 20;
const described = ({ count, tasks }: Revoked): string => {
  const named = plain(tasks.slice(0, MOST_NAMED).join(', '));
  return `${count} live ${count === 1 ? 'task' : 'tasks'}${named ? `: ${named}${tasks.length > MOST_NAMED ? ', …' : ''}` : ''}`;
};
const told = (revoked: Revoked, verb: string): Answer => ({
  data: revoked,
  text: revoked.count === 0 ? 'no live task matches; see npx mayfly grants --state granted' : `${verb} ${described(revoked)}`,
});
