/**
 * `mayfly policy check`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { describeSet, readFolder } from '../policy-folder.js';
import { answers, verb } from '../verb.js';

/** Checks a folder's policy set on this machine. */
export function addPolicyCheck(policy: Command, cli: Cli): void {
  verb(policy, 'check <folder>', "check a folder's policy set without applying it", ['policy check deploy/policies/example']).action(
    answers(cli, async (folder: string) => {
      const set = await readFolder(cli, folder);
      const data = {
        valid: true,
        policyDigest: set.digest,
        capabilities: set.capabilities.length,
        policies: Object.keys(set.policies).length,
      };
      return { data, text: `valid: ${describeSet(set)}` };
    }),
  );
}
