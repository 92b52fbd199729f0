/** Worlds of test runs that were killed: their processes are ended and their folders removed. Those of runs that live are left alone. */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { livingPid, reap } from '../../deploy/local/pidfiles.mjs';

/** What the folder of a world is called, up to its random end. */
export const WORLD = join(tmpdir(), 'mayfly-world-');

/** Clears them away. */
export async function clearLeftWorlds() {
  const homes = (await readdir(tmpdir())).map((name) => join(tmpdir(), name)).filter((path) => path.startsWith(WORLD));
  for (const home of homes) {
    const run = join(home, 'run');
    if (!existsSync(run) || livingPid(run, 'launcher') !== undefined) continue;
    await reap(run);
    await rm(home, { recursive: true, force: true });
  }
}
