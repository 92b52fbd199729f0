/** One real stack for the tests of a Jest project, in a home of its own. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { startStack } from '../../deploy/local/stack.mjs';
import { clearLeftWorlds, WORLD } from './left-worlds.mjs';

/**
 * Starts it, unless the environment variable names the dev.json of one that runs; that one is used and left alone.
 * @param {string} variable says to the tests where their stack is
 * @param {object} [options] for `startStack`
 * @returns `{ stack, home }`, or undefined when one was named
 */
export async function startWorld(variable, options = {}) {
  if (process.env[variable]) return undefined;
  await clearLeftWorlds();
  // An orphan is a minute old in production; nobody waits for that here.
  process.env.ORPHAN_AFTER_SECONDS ??= '5';
  const home = await mkdtemp(WORLD);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1)); // the stack ends with this process
  const lines = [];
  const stack = await startStack({ home, log: (line) => lines.push(line), ...options }).catch((error) => {
    throw new Error([error.message, ...lines, `logs: ${home}/logs`].join('\n'));
  });
  process.env[variable] = join(home, 'dev.json');
  return { stack, home };
}
