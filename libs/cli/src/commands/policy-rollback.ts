/**
 * `mayfly policy rollback`
 * @module
 */
import type { Command } from 'commander';
import { confirmed, type Cli } from '../cli.js';
import { connectConsole, type ConsoleClient } from '../console-client.js';
import { NotSetUp } from '../errors.js';
import { makePlan, planText } from '../make-plan.js';
import { answers, verb, type Answer } from '../verb.js';
import { policySwitches } from './policy-list.js';

interface Options {
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly as?: string;
}

/** Goes back to an earlier policy set. */
export function addPolicyRollback(policy: Command, cli: Cli): void {
  verb(policy, 'rollback [digest]', 'make an earlier policy set the current one again: the one before, unless another is named', [
    'policy rollback --reason "the new one denies the nightly load"',
    'policy rollback sha256:3f9a --yes',
  ])
    .option('--reason <text>', 'why; it is kept as evidence', 'rolled back by an operator')
    .option('--yes', 'do not ask; without a terminal nobody is asked either: it is done at once')
    .option('--as <operator>', 'example operator to act as')
    .action(answers(cli, (digest: string | undefined, options: Options) => rollBack(cli, digest, options)));
}

async function rollBack(cli: Cli, wanted: string | undefined, { reason, yes, json, as }: Options): Promise<Answer> {
  const operators = await connectConsole(cli, 'admin', as);
  const policyDigest = await earlier(operators, wanted);
  if (!yes && cli.interactive) {
    const plan = await makePlan(cli, operators, { policyDigest, days: 0 });
    if (!json) cli.err(`${planText(plan)}\n\n`);
    if (!(await confirmed(cli, `Go back to ${policyDigest}?`)))
      return { data: { changed: false, plan }, text: 'nothing was changed', failed: true };
  }
  const done = await operators.post<{ readonly changed: boolean }>('/v1/policies/rollback', { policyDigest, reason });
  return { data: done, text: `${done.changed ? 'back at' : 'already in force'}: ${policyDigest}` };
}

const LONGEST_LIST = 200;

/** The whole digest, of which the beginning is enough. @throws NotSetUp */
async function earlier(operators: ConsoleClient, wanted: string | undefined): Promise<string> {
  const switches = await policySwitches(operators, LONGEST_LIST);
  if (wanted === undefined) {
    const before = switches[0]?.previous;
    if (before === undefined) throw new NotSetUp('there is no policy set to go back to; this is the first');
    return before;
  }
  const meant = new Set(switches.map((one) => one.policyDigest).filter((digest) => digest.startsWith(wanted)));
  const [only] = meant;
  if (only === undefined || meant.size > 1)
    throw new NotSetUp(`${meant.size === 0 ? 'no' : 'more than one'} policy set begins with ${wanted}; see npx mayfly policy list`);
  return only;
}
