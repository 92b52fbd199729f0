/**
 * Writes the worked example's mounts, keys, roles and policies into OpenBao or Vault. Run at every start; a second run changes nothing.
 *
 * VAULT_ADDR, VAULT_JWT_FILE (JWT-SVID of the provisioner), ORDERS_DB_HOST, ORDERS_DB_PORT, ORDERS_DB_ADMIN_USER, ORDERS_DB_ADMIN_PASSWORD;
 * optional VAULT_AUTH_MOUNT (jwt), VAULT_ROLE (mayfly-provisioner).
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { writes } from './example.mjs';

const CALL_TIMEOUT_MS = 10_000;
const NOT_READY_RETRIES = 50;

/** One call; any status is returned, so that the caller decides what is an error. Error texts of the server hold no request data. */
async function call(address, token, method, path, data) {
  const response = await fetch(`${address}/v1/${path}`, {
    method,
    redirect: 'error',
    headers: { ...(token && { 'X-Vault-Token': token }), 'content-type': 'application/json' },
    ...(data && { body: JSON.stringify(data) }),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : {} };
}

/** A mount that was made a moment ago answers 400 while it prepares itself (KV version 2), a new leader 503. */
const isNotReady = ({ status, body }) => status === 503 || (status === 400 && /upgrading/i.test(String(body.errors)));

async function callWhenReady(...args) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await call(...args);
    if (!isNotReady(answer) || attempt === NOT_READY_RETRIES) return answer;
    await pause(100);
  }
}

function orFail(answer, what) {
  if (answer.status !== 200 && answer.status !== 204) throw new Error(`${what}: status ${answer.status}: ${answer.body.errors ?? ''}`);
  return answer.body;
}

async function login({ address, jwtFile, mount, role }) {
  const jwt = (await readFile(jwtFile, 'utf8')).trim();
  return orFail(await callWhenReady(address, undefined, 'POST', `auth/${mount}/login`, { role, jwt }), 'login').auth.client_token;
}

/** The policy files beside this one, by name. */
async function readPolicies() {
  const folder = new URL('./policies/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.hcl')).sort();
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [basename(file, '.hcl'), await readFile(new URL(file, folder), 'utf8')])),
  );
}

/**
 * Brings a server to the state that example.mjs describes.
 * @param settings `{ address, jwtFile, mount?, role?, orders: { host, port, user, password } }`
 * @returns the paths that were written
 */
export async function provision({ address, jwtFile, mount = 'jwt', role = 'mayfly-provisioner', orders }) {
  const token = await login({ address, jwtFile, mount, role });
  const written = [];
  for (const { path, data, unless } of writes({ address, policies: await readPolicies(), orders })) {
    if (unless && (await callWhenReady(address, token, 'GET', unless)).status === 200) continue;
    orFail(await callWhenReady(address, token, 'POST', path, data), path);
    written.push(path);
  }
  return written;
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const written = await provision({
    address: required('VAULT_ADDR').replace(/\/+$/, ''),
    jwtFile: required('VAULT_JWT_FILE'),
    mount: process.env.VAULT_AUTH_MOUNT,
    role: process.env.VAULT_ROLE,
    orders: {
      host: required('ORDERS_DB_HOST'),
      port: required('ORDERS_DB_PORT'),
      user: required('ORDERS_DB_ADMIN_USER'),
      password: required('ORDERS_DB_ADMIN_PASSWORD'),
    },
  });
  console.log(`provisioned: ${written.length} writes`);
}
