/**
 * `mayfly policy apply`
 * @module
 */
import type { Command } from 'commander';
import { confirmed, type Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { describeSet, readFolder } from '../policy-folder.js';
import { answers, verb } from '../verb.js';

interface Applied {
  readonly policyDigest: string;
  readonly changed: boolean;
  readonly capabilities: number;
  readonly policies: number;
}

/** Makes a folder's policy set the current one. */
export function addPolicyApply(policy: Command, cli: Cli): void {
  verb(policy, 'apply <folder>', "make a folder's policy set the current one; live grants lose what it no longer permits", [
    'policy apply deploy/policies/example',
    'policy apply deploy/policies/example --yes --json',
  ])
    .option('--yes', 'do not ask')
    .option('--as <operator>', 'example operator to act as')
    .action(
      answers(cli, async (folder: string, { yes, as }: { readonly yes?: boolean; readonly as?: string }) => {
        const set = await readFolder(cli, folder);
        if (!yes && !(await confirmed(cli, `Apply ${describeSet(set)}?`)))
          return { data: { changed: false }, text: 'nothing was changed', failed: true };
        const applied = await (await connectConsole(cli, 'admin', as)).post<Applied>('/v1/policies', { files: set.files });
        const text = `${applied.changed ? 'applied' : 'already in force'}: ${describeSet(set)}`;
        return { data: applied, text };
      }),
    );
}
