/**
 * `mayfly policy apply`
 * @module
 */
import type { Command } from 'commander';
import { tooFar, type Limits } from '../blast-radius.js';
import { confirmed, type Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { wholeNumber } from '../durations.js';
import { makePlan, planText } from '../make-plan.js';
import { describeSet, readFolder } from '../policy-folder.js';
import { signatureFor } from '../sign-policy-set.js';
import { answers, verb, type Answer } from '../verb.js';

interface Applied {
  readonly policyDigest: string;
  readonly changed: boolean;
  readonly capabilities: number;
  readonly policies: number;
}

interface Options extends Limits {
  readonly signature?: string;
  readonly key?: string;
  readonly days: number;
  readonly json?: boolean;
  readonly as?: string;
}

/** Makes a folder's policy set the current one. */
export function addPolicyApply(policy: Command, cli: Cli): void {
  verb(policy, 'apply <folder>', "make a folder's policy set the current one; live grants lose what it no longer permits", [
    'policy apply deploy/policies/example',
    'policy apply deploy/policies/example --signature set.jws --yes --json',
    'policy apply deploy/policies/example --key policy.pem --max-lost 20',
  ])
    .option('--signature <file>', 'who stands behind it: the file that policy sign wrote')
    .option('--key <file>', 'sign it here and now with this private key')
    .option(
      '--yes',
      'do not ask, however many leases would end; without a terminal nobody is asked either, but the limit on leases holds unless --yes is given',
    )
    .option('--max-lost <count>', 'refuse when more leases than this would end, whatever else is said', wholeNumber)
    .option('--days <count>', 'days of recorded starts in the plan', wholeNumber, 7)
    .option('--as <operator>', 'example operator to act as')
    .action(answers(cli, (folder: string, options: Options) => apply(cli, folder, options)));
}

async function apply(cli: Cli, folder: string, { as, days, json, ...options }: Options): Promise<Answer> {
  const set = await readFolder(cli, folder);
  const signature = await signatureFor(cli, set.digest, options);
  const operators = await connectConsole(cli, 'admin', as);
  const plan = await makePlan(cli, operators, { files: set.files, days });
  if (!json) cli.err(`${planText(plan)}\n\n`);
  const refused = tooFar(plan, options);
  if (refused !== undefined)
    return { data: { changed: false, refused, plan }, text: `refused: ${refused}; nothing was changed`, failed: true };
  if (!options.yes && !(await confirmed(cli, `Apply ${describeSet(set)}?`)))
    return { data: { changed: false, plan }, text: 'nothing was changed', failed: true };
  // What was shown is what happens: where somebody else was faster, it is planned again.
  const applied = await operators.post<Applied>('/v1/policies', { files: set.files, signature, expected: plan.current });
  return { data: { ...applied, plan }, text: `${applied.changed ? 'applied' : 'already in force'}: ${describeSet(set)}` };
}
