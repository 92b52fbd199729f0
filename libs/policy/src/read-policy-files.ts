/**
 * A policy set's files from a folder: the only place here that touches the disk.
 * @module
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyFiles } from './policy-set.js';
import { isPolicySetPath } from './read-policy-set.js';

/**
 * Reads those files of a folder that belong to a policy set, ready for `readPolicySet`. Other files are left alone.
 * @throws the file system's error when the folder cannot be read
 */
export async function readPolicyFiles(folder: string): Promise<PolicyFiles> {
  const top = await readdir(folder);
  const policies = top.includes('policies') ? await readdir(join(folder, 'policies')) : [];
  const paths = [...top, ...policies.map((name) => `policies/${name}`)].filter(isPolicySetPath).sort();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const)));
}
