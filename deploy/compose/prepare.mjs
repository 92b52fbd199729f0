/**
 * Makes what docker-compose.yml must not hold: keys, passwords and rendered configurations, in `.mayfly/compose`, readable by one user only.
 * Run it before the first `docker compose up` and whenever you like: what exists is kept.
 * `node deploy/compose/prepare.mjs [FOLDER]`; prints the command to go on with.
 */
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { ensureKeys } from '../local/keys.mjs';
import { layout, root } from '../local/layout.mjs';
import { SERVICES } from '../local/services.mjs';
import { render } from '../local/template.mjs';

/** Who runs the containers when root prepares them: they never run as root. */
const UNPRIVILEGED = { uid: 1000, gid: 1000 };
const WITH_DATA = ['kafka', 'openbao', 'postgres', 'prometheus'];

const home = resolve(process.argv[2] ?? join(root, '.mayfly', 'compose'));
const dirs = layout(home);
const folder = (...path) => {
  const made = join(home, ...path);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  return made;
};
const secrets = folder('secrets');
WITH_DATA.forEach((name) => folder('data', name));
[...SERVICES, 'provisioner'].forEach((name) => folder('svid', name));
folder('trust');
folder('logs', 'openbao');

/** Writes a secret once and gives it back. */
function secret(name, make) {
  const file = join(secrets, name);
  if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 });
  return readFileSync(file);
}
const password = () => randomBytes(24).toString('base64url');

secret('openbao_seal_key', () => randomBytes(32));
secret('grafana_admin_password', password);
const superuser = secret('postgres_password', password);
const url = (role, value, database) => `postgres://${role}:${value}@postgres:5432/${database}`;
secret('postgres_url', () => url('postgres', superuser, 'postgres'));

// The same roles as deploy/postgres/roles.sql makes; one service learns only its own password.
const ROLES = ['mayfly_owner', 'mayfly_probe', 'mayfly_quarantine', 'orders_admin', ...SERVICES.map((name) => `mayfly_${name}`)];
const passwords = JSON.parse(
  secret('database_roles.json', () => JSON.stringify(Object.fromEntries(ROLES.map((role) => [role, password()])))),
);
for (const name of ['owner', ...SERVICES]) {
  secret(`database_url_${name}`, () => url(`mayfly_${name}`, passwords[`mayfly_${name}`], 'mayfly'));
}
secret('orders_admin_password', () => passwords.orders_admin);

// What delivery hands out is no secret; the revoker's copy can also look into the target.
const { orders } = JSON.parse(readFileSync(new URL('targets.json', import.meta.url), 'utf8'));
secret('targets_revoker.json', () =>
  JSON.stringify({
    orders: {
      ...orders,
      probeUrl: url('mayfly_probe', passwords.mayfly_probe, 'orders'),
      quarantine: { url: url('mayfly_quarantine', passwords.mayfly_quarantine, 'orders'), admin: 'orders_admin' },
    },
  }),
);

await ensureKeys(dirs.keys);

render(join(root, 'deploy', 'kafka', 'server.properties.tmpl'), join(dirs.config, 'kafka.properties'), {
  PORT: 9092,
  CONTROLLER_PORT: 9093,
  LOG_DIR: '/data',
});
render(join(root, 'deploy', 'openbao', 'server.hcl.tmpl'), join(dirs.config, 'openbao.hcl'), {
  STORAGE_PATH: '/data',
  LISTEN_ADDRESS: '0.0.0.0:8200',
  API_ADDRESS: 'http://openbao:8200',
  CLUSTER_ADDRESS: 'http://openbao:8201',
  SEAL_KEY_FILE: '/run/secrets/openbao_seal_key',
  AUDIT_FILE: '/openbao/logs/audit.log',
  SERVICE_JWT_PUBKEY_FILE: '/etc/mayfly/services.pub.pem',
});

// For the command line on this machine: MAYFLY_DEV_JSON names this file.
const local = (port) => `http://127.0.0.1:${port}`;
writeFileSync(
  dirs.devFile,
  JSON.stringify(
    {
      kafka: { brokers: ['127.0.0.1:9094'], topicPrefix: 'mayfly' },
      vault: { address: local(8200) },
      postgres: { url: 'postgres://mayfly_owner@127.0.0.1:5432/mayfly' },
      delivery: { url: local(8480) },
      console: { url: local(8490) },
      trustDomain: 'example.org',
      issuer: { url: local(8491) },
      keys: { agents: join(dirs.keys, 'agents.jwk') },
    },
    null,
    2,
  ),
  { mode: 0o600 },
);

const asRoot = process.getuid?.() === 0;
const owner = process.getuid && !asRoot ? { uid: process.getuid(), gid: process.getgid() } : UNPRIVILEGED;
const settings = join(home, 'compose.env');
writeFileSync(settings, `MAYFLY_UID=${owner.uid}\nMAYFLY_GID=${owner.gid}\n`, { mode: 0o600 });
if (asRoot) for (const path of ['', ...readdirSync(home, { recursive: true })]) chownSync(join(home, path), owner.uid, owner.gid);

console.log(`docker compose --env-file ${relative(process.cwd(), settings)} up --build --wait`);
