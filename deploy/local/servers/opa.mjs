/** The Open Policy Agent with Mayfly's bundle: a decider behind the same port as Cedar (https://www.openpolicyagent.org). */
import { join } from 'node:path';
import { environment } from '../environment.mjs';
import { cache, layout, root } from '../layout.mjs';
import { freePort, HOST } from '../ports.mjs';
import { Supervised } from '../supervised.mjs';
import { answers } from '../until.mjs';

/** Where its program is, once `npm test` or `npm run bench` has fetched it. */
export const OPA = join(cache, 'opa', 'opa');
const BUNDLE = join(root, 'deploy', 'policies', 'opa');

/**
 * Starts it and waits until it answers.
 * @param {object} options
 * @param {string} options.home
 * @param {string[]} [options.more] further files with rules, in absolute paths
 * @param {(line: string) => void} [options.log]
 * @param {AbortSignal} [options.signal] stops it
 * @returns {Promise<Supervised & { url: string }>} `url` is where Mayfly's questions go
 */
export async function start({ home, more = [], log, signal }) {
  const dirs = layout(home);
  const port = await freePort();
  const origin = `http://${HOST}:${port}`;
  const server = new Supervised({
    name: 'opa',
    dirs,
    command: OPA,
    // Nobody is told that it runs, and no rule can reach the network.
    args: ['run', '--server', '--disable-telemetry', '--addr', `${HOST}:${port}`, '--log-level', 'error', BUNDLE, ...more],
    env: environment({}),
    cwd: dirs.home,
    ready: () => answers(`${origin}/health`),
    log,
    signal,
  });
  await server.start();
  return Object.assign(server, { url: `${origin}/v1/data/mayfly/decision` });
}
