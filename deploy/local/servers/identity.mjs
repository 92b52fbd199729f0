/** The dev profile's identity provider (identity.mjs) as a server of the stack. */
import { join } from 'node:path';
import { environment } from '../environment.mjs';
import { layout, projectNode, root } from '../layout.mjs';
import { freePort, HOST } from '../ports.mjs';
import { Supervised } from '../supervised.mjs';
import { answers } from '../until.mjs';

/**
 * Starts it and waits until keys and SVID files are there and it answers.
 * @param {{ home: string, port?: number, log?: (line: string) => void, signal?: AbortSignal }} options
 * @returns {Promise<Supervised & { url: string }>} `url` is the operators' OIDC issuer
 */
export async function start({ home, port, log, signal }) {
  const dirs = layout(home);
  const chosen = port ?? (await freePort());
  const url = `http://${HOST}:${chosen}`;
  const server = new Supervised({
    name: 'identity',
    dirs,
    command: projectNode,
    args: [join(root, 'deploy', 'local', 'identity.mjs')],
    env: environment({ MAYFLY_HOME: dirs.home, HTTP_PORT: String(chosen) }),
    cwd: dirs.home,
    ready: () => answers(`${url}/healthz`),
    log,
    signal,
  });
  await server.start();
  return Object.assign(server, { url });
}
