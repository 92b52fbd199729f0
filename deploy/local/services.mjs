/** Mayfly's own processes: what each one gets to know, and how it is started. */
import { join } from 'node:path';
import { environment } from './environment.mjs';
import { projectNode, root } from './layout.mjs';
import { HOST } from './ports.mjs';
import { Supervised } from './supervised.mjs';
import { answers } from './until.mjs';

/** In the order of the way through: event in, decide, mint, deliver, revoke, evidence. */
export const SERVICES = ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console'];

const READS_TRUST = ['delivery', 'console'];
const READS_TARGETS = ['delivery', 'revoker'];
const PASSED_ON = ['LOG_LEVEL', 'ORPHAN_AFTER_SECONDS', 'OTEL_TRACES_SAMPLER_ARG', 'OTEL_EXPORTER_OTLP_HEADERS'];

const entry = (name) => join(root, 'services', name, 'dist', 'main.js');

/**
 * Starts one service and waits until it is ready.
 * @param {string} name
 * @param {object} world what it stands on: `{ dirs, ports, wires, kafka, vault, databaseUrl(role), tracing, settings, log, signal }`
 */
export async function startService(name, world) {
  const { dirs, ports, log, signal } = world;
  const service = new Supervised({
    name,
    dirs,
    command: projectNode,
    args: ['--enable-source-maps', entry(name)],
    env: environment(serviceEnvironment(name, world)),
    cwd: dirs.home,
    ready: () => answers(`http://${HOST}:${ports[name]}/readyz`),
    log,
    signal,
  });
  return service.start();
}

function serviceEnvironment(name, { dirs, ports, wires, kafka, vault, databaseUrl, tracing, settings }) {
  return {
    ...Object.fromEntries(PASSED_ON.filter((key) => process.env[key]).map((key) => [key, process.env[key]])),
    NODE_ENV: 'production',
    MAYFLY_PROFILE: 'dev',
    MAYFLY_SERVICE: name,
    HTTP_HOST: HOST,
    HTTP_PORT: String(ports[name]),
    KAFKA_BROKERS: kafka.brokers.map((broker) => wires.through('kafka', broker)).join(','),
    KAFKA_TOPIC_PREFIX: 'mayfly',
    VAULT_ADDR: wires.through(`vault.${name}`, vault.address),
    VAULT_JWT_FILE: join(dirs.svid, `${name}.jwt`),
    VAULT_AUTH_MOUNT: 'jwt',
    VAULT_ROLE: `mayfly-${name}`,
    DATABASE_URL: wires.through(`postgres.${name}`, databaseUrl(`mayfly_${name}`)),
    ...(READS_TRUST.includes(name) && { MAYFLY_TRUST_FILE: settings.trust }),
    ...(READS_TARGETS.includes(name) && { MAYFLY_TARGETS_FILE: settings.targets[name] }),
    ...tracing.environment,
  };
}
