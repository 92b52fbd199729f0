/** A real Zipkin with its web page: traces in memory, on loopback. */
import { join } from 'node:path';
import { environment } from '../environment.mjs';
import { cache, layout } from '../layout.mjs';
import { freePort, HOST } from '../ports.mjs';
import { Supervised } from '../supervised.mjs';
import { answers } from '../until.mjs';

/**
 * Starts it and waits until it answers.
 * @param {{ home: string, port?: number, log?: (line: string) => void, signal?: AbortSignal }} options
 * @returns {Promise<Supervised & { url: string }>}
 */
export async function start({ home, port, log, signal }) {
  const dirs = layout(home);
  const chosen = port ?? (await freePort());
  const url = `http://${HOST}:${chosen}`;
  const listen = { ip: HOST, port: chosen, protocols: 'http' };
  const server = new Supervised({
    name: 'zipkin',
    dirs,
    command: 'java',
    args: [
      ...['-Xmx300m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      ...Object.entries(listen).map(([key, value]) => `-Darmeria.ports[0].${key}=${value}`),
      ...['-jar', join(cache, 'zipkin', 'zipkin-server-exec.jar')],
    ],
    env: environment({ STORAGE_TYPE: 'mem', QUERY_PORT: String(chosen) }),
    cwd: dirs.home,
    ready: () => answers(`${url}/health`),
    log,
    signal,
  });
  await server.start();
  return Object.assign(server, { url });
}
