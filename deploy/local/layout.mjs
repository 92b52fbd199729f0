/** Where things lie: the repository, the stack's home (`.mayfly`) and what is in it. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The project's own Node, which npm installs; every process of the stack runs under it. */
export const projectNode = join(root, 'node_modules', 'node', 'bin', 'node');

/** Downloaded servers, shared by every home of this clone. `MAYFLY_CACHE` moves it. */
export const cache = resolve(process.env.MAYFLY_CACHE ?? join(root, '.mayfly', 'cache'));

/** The home that `npm start` uses. `MAYFLY_HOME` moves it. */
export const defaultHome = resolve(process.env.MAYFLY_HOME ?? join(root, '.mayfly'));

/** Names a home's folders and makes them, readable by their owner only. */
export function layout(home) {
  const dirs = { home: resolve(home) };
  for (const name of ['state', 'keys', 'svid', 'config', 'logs', 'run']) {
    dirs[name] = join(dirs.home, name);
    mkdirSync(dirs[name], { recursive: true, mode: 0o700 });
  }
  return { ...dirs, devFile: join(dirs.home, 'dev.json') };
}
