/**
 * A real OpenBao and PostgreSQL, set up by the same files as `npm start`, for one test file.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the tests need of the running servers. */
export interface Servers {
  readonly address: string;
  /** The file of a service's JWT-SVID. */
  jwtFile(service: string): string;
  /** A file with a JWT that says it is a service and is signed by the key of the agents. */
  readonly forgedJwtFile: string;
  readonly provisioning: { readonly address: string; readonly jwtFile: string; readonly orders: object };
  /** Where the demo database is, as whoever. */
  ordersUrl(user: string, password: string): string;
  /** Of the roles that look and quarantine there. */
  readonly passwords: Readonly<Record<string, string>>;
  readonly adminUrl: string;
  readonly auditFile: string;
  stop(): Promise<void>;
}

/** The launcher is plain JavaScript without types. */

const launcher = (file: string): Promise<any> => import(`../../../deploy/${file}`);

export async function startServers(): Promise<Servers> {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-vault-'));
  const [{ layout, projectNode, root }, keys, openbao, postgres, { run }, { provision }, place] = await Promise.all(
    [
      'local/layout.mjs',
      'local/keys.mjs',
      'local/servers/openbao.mjs',
      'local/servers/postgres.mjs',
      'local/run.mjs',
      'openbao/provision.mjs',
      'local/servers/postgres-place.mjs',
    ].map(launcher),
  );
  const dirs = layout(home);
  await keys.ensureKeys(dirs.keys);
  const started = await Promise.allSettled([
    postgres.start({ home }),
    openbao.start({ home, servicePublicKeyFile: keys.servicePublicKeyFile(dirs.keys) }),
  ]);
  const [database, bao] = started.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  const stop = async (): Promise<void> => {
    await Promise.all([database?.stop(), bao?.stop()]);
    rmSync(home, { recursive: true, force: true });
    place.sweep(); // data that had to lie outside the home
  };
  try {
    const failed = started.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;

    const signed = async (file: string, name: string, sub: string): Promise<string> => {
      const path = join(dirs.svid, file);
      writeFileSync(path, await keys.sign({ keys: dirs.keys, name, claims: { sub, aud: 'vault' }, seconds: 600 }));
      chmodSync(path, 0o600);
      return path;
    };
    for (const service of ['provisioner', 'issuer', 'delivery', 'revoker', 'evidence', 'drift', 'console']) {
      await signed(`${service}.jwt`, 'services', `spiffe://example.org/mayfly/${service}`);
    }
    const jwtFile = (service: string): string => join(dirs.svid, `${service}.jwt`);

    const orders = {
      host: '127.0.0.1',
      port: Number(new URL(database.url).port),
      user: 'orders_admin',
      password: 'orders-admin-in-a-test',
    };
    const passwords = { orders_admin: orders.password, mayfly_probe: 'probe-in-a-test', mayfly_quarantine: 'quarantine-in-a-test' };
    const passwordsFile = join(dirs.keys, 'passwords.json');
    writeFileSync(passwordsFile, JSON.stringify(passwords), { mode: 0o600 });
    const env = { ADMIN_URL: database.url, PASSWORDS_FILE: passwordsFile };
    await run(projectNode, [join(root, 'deploy/postgres/bootstrap.mjs')], {
      what: 'databases',
      logFile: join(dirs.logs, 'bootstrap.log'),
      env,
    });

    const provisioning = { address: bao.address, jwtFile: jwtFile('provisioner'), orders };
    await provision(provisioning);
    return {
      address: bao.address,
      jwtFile,
      forgedJwtFile: await signed('forged.jwt', 'agents', 'spiffe://example.org/mayfly/issuer'),
      provisioning,
      ordersUrl: (user, password) => `postgres://${user}:${encodeURIComponent(password)}@${orders.host}:${orders.port}/orders`,
      passwords,
      adminUrl: database.url.replace(/postgres$/, 'orders'),
      auditFile: join(dirs.logs, 'openbao-audit.log'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Writes everything again, as the next start would. Gives back the paths that were written. */
export const provisionAgain = async ({ provisioning }: Servers): Promise<string[]> =>
  (await launcher('openbao/provision.mjs')).provision(provisioning);

/** One raw call, past the lib, to see what the server itself says. */
export async function raw(address: string, method: string, path: string, token?: string, body?: object) {
  const response = await fetch(`${address}/v1/${path}`, {
    method,
    headers: token ? { 'X-Vault-Token': token } : {},
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();

  return { status: response.status, body: text ? JSON.parse(text) : {} };
}
