/** A real Kafka: one KRaft node on loopback, from the jars that Maven fetched. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environment } from '../environment.mjs';
import { cache, layout, root } from '../layout.mjs';
import { freePort, HOST } from '../ports.mjs';
import { Supervised } from '../supervised.mjs';
import { render } from '../template.mjs';

const config = join(root, 'deploy', 'kafka');
const java = (heap) => [`-Xmx${heap}`, `-Dlog4j2.configurationFile=${join(config, 'log4j2.properties')}`, '-cp', join(cache, 'kafka', '*')];

/**
 * Starts it and waits until it answers.
 * @param {object} options
 * @param {string} options.home
 * @param {number} [options.port]
 * @param {number} [options.controllerPort]
 * @param {{ listen: string, advertised: string }} [options.second] one more listener, for clients that reach it by another address
 * @param {(line: string) => void} [options.log]
 * @param {AbortSignal} [options.signal] stops it
 * @returns {Promise<Supervised & { broker: string }>} `broker` is host:port
 */
export async function start({ home, port, controllerPort, second, log, signal }) {
  const dirs = layout(home);
  const data = join(dirs.state, 'kafka');
  const properties = join(dirs.config, 'kafka.properties');
  const chosen = port ?? (await freePort());
  const control = controllerPort ?? (await freePort());
  render(join(config, 'server.properties.tmpl'), properties, {
    PORT: chosen,
    CONTROLLER_PORT: control,
    LOG_DIR: data,
  });
  if (!existsSync(join(data, 'meta.properties'))) await format(data, properties);

  const server = new Supervised({
    name: 'kafka',
    dirs,
    command: 'java',
    args: [
      ...java('384m'),
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      'kafka.Kafka',
      properties,
      ...(second ? listeners(chosen, control, second) : []),
    ],
    env: environment(),
    cwd: dirs.home,
    ready: () => answersApiVersions(chosen),
    log,
    signal,
  });
  await server.start();
  return Object.assign(server, { broker: `${HOST}:${chosen}` });
}

/** Overrides what the template says of listeners. */
const listeners = (port, control, { listen, advertised }) =>
  Object.entries({
    listeners: `BROKER://${HOST}:${port},SECOND://${listen},CONTROLLER://${HOST}:${control}`,
    'advertised.listeners': `BROKER://${HOST}:${port},SECOND://${advertised}`,
    'listener.security.protocol.map': 'BROKER:PLAINTEXT,SECOND:PLAINTEXT,CONTROLLER:PLAINTEXT',
  }).flatMap(([name, value]) => ['--override', `${name}=${value}`]);

async function format(data, properties) {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const id = randomBytes(16);
  id[0] &= 0x7f; // else it may begin with a dash, which the tool takes for an option
  const clusterId = id.toString('base64url');
  await promisify(execFile)('java', [
    ...java('128m'),
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    properties,
    '--ignore-formatted',
  ]);
}

/** Asks the broker for its API versions (key 18, version 0): an open port alone does not mean that requests are served. */
function answersApiVersions(port) {
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write(request));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once('data', () => resolve(true) || socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
