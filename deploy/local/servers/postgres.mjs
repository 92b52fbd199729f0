/** A real PostgreSQL from the npm package of its binaries: one cluster on loopback, with the password of its superuser in a file. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environment } from '../environment.mjs';
import { layout } from '../layout.mjs';
import { freePort, HOST } from '../ports.mjs';
import { Supervised } from '../supervised.mjs';
import { settle } from './postgres-place.mjs';

const SETTINGS = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  max_connections: 300,
  reserved_connections: 100, // for Mayfly and who makes and ends users: agents' sessions never take these
  shared_buffers: '64MB',
  password_encryption: 'scram-sha-256',
};

/**
 * Starts it and waits until it takes connections. As root it runs as an unprivileged user, since PostgreSQL refuses root.
 * @param {{ home: string, port?: number, log?: (line: string) => void, signal?: AbortSignal }} options
 * @returns {Promise<Supervised & { url: string }>} `url` is the superuser's, on the database `postgres`
 */
export async function start({ home, port, log, signal }) {
  const dirs = layout(home);
  const { programs, data, user } = settle(dirs);
  const chosen = port ?? (await freePort());
  const password = superuserPassword(dirs.keys);
  if (!existsSync(join(data, 'PG_VERSION'))) await initialize({ programs, data, user, password });

  const settings = Object.entries({ ...SETTINGS, port: chosen }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = new Supervised({
    name: 'postgres',
    dirs,
    command: join(programs, 'bin', 'postgres'),
    args: ['-D', data, ...settings],
    env: environment(),
    cwd: data,
    ...user,
    endSignal: 'SIGINT', // "fast": SIGTERM would wait for every client to leave
    ready: () => takesConnections(chosen),
    log,
    signal,
  });
  await server.start();
  const url = `postgres://postgres:${password}@${HOST}:${chosen}/postgres`;
  return Object.assign(server, { url });
}

function superuserPassword(keys) {
  const file = join(keys, 'postgres.password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

async function initialize({ programs, data, user, password }) {
  const passwordFile = join(data, '..', 'initdb.password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  try {
    if (user.uid !== undefined) chownSync(passwordFile, user.uid, user.gid);
    await promisify(execFile)(
      join(programs, 'bin', 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--no-instructions'],
      { ...user, cwd: join(data, '..'), env: environment() },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/**
 * Sends a startup packet: `R` (authentication) comes only when connections are taken; while the server starts or recovers it is `E`.
 */
function takesConnections(port) {
  const names = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const packet = Buffer.alloc(8 + names.length);
  packet.writeInt32BE(packet.length, 0);
  packet.writeInt32BE(196_608, 4); // protocol 3.0
  names.copy(packet, 8);
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write(packet));
    socket.setTimeout(2_000, () => socket.destroy());
    socket.once('data', (answer) => resolve(answer[0] === 0x52) || socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
