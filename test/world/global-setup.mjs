/**
 * One real stack for all suites, in a home of its own. `MAYFLY_DEV_JSON` names its dev.json for the tests;
 * when it is set already, that running stack is used and left alone.
 */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { startStack } from '../../deploy/local/stack.mjs';
import { clearLeftWorlds, WORLD } from './left-worlds.mjs';

export default async function globalSetup() {
  if (process.env.MAYFLY_DEV_JSON) return;
  await clearLeftWorlds();
  // An orphan is a minute old in production; nobody waits for that here.
  process.env.ORPHAN_AFTER_SECONDS ??= '5';
  const home = await mkdtemp(WORLD);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1)); // the stack ends with this process
  const lines = [];
  const stack = await startStack({ home, log: (line) => lines.push(line) }).catch((error) => {
    throw new Error([error.message, ...lines, `logs: ${home}/logs`].join('\n'));
  });
  process.env.MAYFLY_DEV_JSON = join(home, 'dev.json');
  globalThis.mayflyWorld = { stack, home };
}
