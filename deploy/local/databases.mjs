/** The ledger's database and the demo target: roles with their passwords, made in our own PostgreSQL or in the one that DATABASE_URL names. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from './environment.mjs';
import { projectNode, root } from './layout.mjs';
import { run } from './run.mjs';
import { SERVICES } from './services.mjs';

const ROLES = ['mayfly_owner', 'mayfly_probe', 'mayfly_quarantine', 'orders_admin', ...SERVICES.map((name) => `mayfly_${name}`)];

/**
 * Makes roles and databases.
 * @param {{ dirs: object, adminUrl: string, ledger: string, signal?: AbortSignal }} options `ledger` names the ledger's database
 * @returns where each role connects: `{ url(role), orders: { host, port, user, password, probeUrl, quarantine } }`
 */
export async function prepareDatabases({ dirs, adminUrl, ledger, signal }) {
  const passwordsFile = join(dirs.keys, 'database-roles.json');
  const passwords = ensurePasswords(passwordsFile);
  const url = (role, database = ledger) => {
    const { host } = new URL(adminUrl);
    return `postgres://${role}:${passwords[role]}@${host}/${database}`;
  };
  await run(projectNode, [join(root, 'deploy', 'postgres', 'bootstrap.mjs')], {
    what: 'making the database roles',
    logFile: join(dirs.logs, 'postgres-bootstrap.log'),
    env: environment({ ADMIN_URL: adminUrl, LEDGER_DATABASE: ledger, PASSWORDS_FILE: passwordsFile }),
    signal,
  });
  const { hostname: host, port } = new URL(adminUrl);
  return {
    url,
    orders: {
      host,
      port: Number(port || 5432),
      user: 'orders_admin',
      password: passwords.orders_admin,
      probeUrl: url('mayfly_probe', 'orders'),
      quarantine: { url: url('mayfly_quarantine', 'orders'), admin: 'orders_admin' },
    },
  };
}

function ensurePasswords(file) {
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const passwords = Object.fromEntries(ROLES.map((role) => [role, known[role] ?? randomBytes(24).toString('base64url')]));
  writeFileSync(file, JSON.stringify(passwords, null, 2), { mode: 0o600 });
  return passwords;
}

/** Brings the ledger's schema up to date, as its owner. */
export async function migrate({ dirs, ownerUrl, signal }) {
  const program = join(root, 'libs', 'store', 'dist', 'migrate-main.js');
  await run(projectNode, [program], {
    what: "migrating the ledger's schema",
    logFile: join(dirs.logs, 'migrations.log'),
    env: environment({ DATABASE_URL: ownerUrl }),
    signal,
  });
}
