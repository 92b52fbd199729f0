/**
 * One real stack for all suites, in a home of its own. `MAYFLY_DEV_JSON` names its dev.json for the tests;
 * when it is set already, that running stack is used and left alone.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../../deploy/local/stack.mjs';

export default async function globalSetup() {
  if (process.env.MAYFLY_DEV_JSON) return;
  const home = await mkdtemp(join(tmpdir(), 'mayfly-world-'));
  const lines = [];
  const stack = await startStack({ home, log: (line) => lines.push(line) }).catch((error) => {
    throw new Error([error.message, ...lines, `logs: ${home}/logs`].join('\n'));
  });
  process.env.MAYFLY_DEV_JSON = join(home, 'dev.json');
  globalThis.mayflyWorld = { stack, home };
}
