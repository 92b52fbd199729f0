/**
 * A policy set from a folder, checked before it goes anywhere.
 * @module
 */
import { resolve } from 'node:path';
import type { PolicySet } from '@mayfly/policy';
import type { Cli } from './cli.js';
import { NotSetUp } from './errors.js';

/** @throws InvalidPolicySet naming file and key, NotSetUp when there is no such folder */
export async function readFolder({ cwd }: Pick<Cli, 'cwd'>, folder: string): Promise<PolicySet> {
  const { InvalidPolicySet, readPolicyFiles, readPolicySet } = await import('@mayfly/policy');
  const files = await readPolicyFiles(resolve(cwd, folder)).catch((error: unknown) => {
    if (error instanceof InvalidPolicySet) throw error;
    throw new NotSetUp(`${folder} is no folder that can be read; see deploy/policies/example for one`);
  });
  return readPolicySet(files);
}

/** What is in it, for people. */
export const describeSet = ({ digest, capabilities, policies, agents }: PolicySet): string =>
  `${capabilities.length} capabilities, ${Object.keys(policies).length} policies, ${agents.length} agents (${digest})`;
