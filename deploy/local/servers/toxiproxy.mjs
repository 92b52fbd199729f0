/** Toxiproxy: wires between programs that can be cut, slowed, held and broken off (https://github.com/Shopify/toxiproxy). */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../environment.mjs';
import { cache, layout } from '../layout.mjs';
import { freePort, freePorts, HOST } from '../ports.mjs';
import { Supervised } from '../supervised.mjs';
import { answers } from '../until.mjs';

/**
 * Starts it with one wire per name and waits until it answers. After a crash it comes back with the same wires, all of them mended.
 * @param {object} options
 * @param {string} options.home
 * @param {Record<string, number>} options.wires name → the loopback port where the wire ends
 * @param {(line: string) => void} [options.log]
 * @param {AbortSignal} [options.signal] stops it
 * @returns {Promise<Supervised & { url: string, listening: Record<string, number> }>} `url` is its API, `listening` where each wire begins
 */
export async function start({ home, wires, log, signal }) {
  const dirs = layout(home);
  const names = Object.keys(wires);
  const listening = await freePorts(Object.fromEntries(names.map((name) => [name, 0])));
  const config = join(dirs.config, 'toxiproxy.json');
  writeFileSync(
    config,
    JSON.stringify(
      names.map((name) => ({ name, listen: `${HOST}:${listening[name]}`, upstream: `${HOST}:${wires[name]}`, enabled: true })),
      null,
      2,
    ),
  );
  const port = await freePort();
  const url = `http://${HOST}:${port}`;
  const server = new Supervised({
    name: 'toxiproxy',
    dirs,
    command: join(cache, 'toxiproxy', 'server'),
    args: ['-host', HOST, '-port', String(port), '-config', config],
    env: environment({ LOG_LEVEL: 'error' }),
    cwd: dirs.home,
    ready: () => answers(`${url}/version`),
    log,
    signal,
  });
  await server.start();
  return Object.assign(server, { url, listening });
}
