/**
 * A policy set's files from a folder: the only place here that touches the disk.
 * @module
 */
import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidPolicySet } from './errors.js';
import type { PolicyFiles } from './policy-set.js';
import { isPolicySetPath } from './read-policy-set.js';

const POLICIES = 'policies';

/**
 * Reads those files of a folder that belong to a policy set, ready for `readPolicySet`. Other files are left alone.
 * @throws InvalidPolicySet for what has such a name and is no regular file: a link leads out of what was reviewed, a named pipe has no end
 * @throws the file system's error when the folder cannot be read
 */
export async function readPolicyFiles(folder: string): Promise<PolicyFiles> {
  const top = await entries(folder);
  const policies = top.get(POLICIES);
  if (policies && !policies.isDirectory()) throw new InvalidPolicySet(POLICIES, 'is no folder; put the folder itself there');
  const within = policies ? await entries(join(folder, POLICIES)) : [];
  const all = [...top, ...[...within].map(([name, entry]) => [`${POLICIES}/${name}`, entry] as const)];
  const own = all.filter(([path]) => isPolicySetPath(path)).sort(([one], [other]) => (one < other ? -1 : 1));
  const special = own.find(([, entry]) => !entry.isFile());
  if (special) throw new InvalidPolicySet(special[0], 'is no regular file; put the file itself there, not a link, pipe or device');
  return Object.fromEntries(await Promise.all(own.map(async ([path]) => [path, await readFile(join(folder, path), 'utf8')] as const)));
}

const entries = async (folder: string): Promise<ReadonlyMap<string, Dirent>> =>
  new Map((await readdir(folder, { withFileTypes: true })).map((entry) => [entry.name, entry]));
