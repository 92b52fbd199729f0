/**
 * `mayfly policy plan`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { wholeNumber } from '../durations.js';
import { makePlan, planText } from '../make-plan.js';
import { readFolder } from '../policy-folder.js';
import { answers, verb } from '../verb.js';

/** Shows what applying a folder's policy set would change. */
export function addPolicyPlan(policy: Command, cli: Cli): void {
  verb(policy, 'plan <folder>', "show what applying a folder's policy set would end, give back and decide otherwise; changes nothing", [
    'policy plan deploy/policies/example',
    'policy plan deploy/policies/example --days 30 --json',
  ])
    .option('--days <count>', 'decide so many days of recorded starts again', wholeNumber, 7)
    .option('--as <operator>', 'example operator to act as')
    .action(
      answers(cli, async (folder: string, { days, as }: { readonly days: number; readonly as?: string }) => {
        const { files } = await readFolder(cli, folder);
        const plan = await makePlan(cli, await connectConsole(cli, 'operator', as), { files, days });
        return { data: plan, text: planText(plan) };
      }),
    );
}
