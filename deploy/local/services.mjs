/** Mayfly's own processes: what each one gets to know, and how it is started. */
import { mkdirSync } from 'node:fs';
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
const READS_POLICIES = ['issuer', 'delivery', 'revoker', 'drift', 'console'];
const PASSED_ON = [
  'LOG_LEVEL',
  'ORPHAN_AFTER_SECONDS',
  'KILLS_AT_ONCE',
  'VAULT_COMPARE_SECONDS',
  'VAULT_MAX_IN_FLIGHT',
  'MAYFLY_DECIDER',
  'MAYFLY_PDP_URL',
  'MAYFLY_PDP_TOKEN_FILE',
  'MAYFLY_PDP_TIMEOUT_MILLISECONDS',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_EXPORTER_OTLP_HEADERS',
];

const entry = (name) => join(root, 'services', name, 'dist', 'main.js');

/**
 * What each process of a stack runs: `{ name, service }`. The first replica is called like its service, the next ones `issuer-2` and so on.
 * @param {Record<string, number>} [replicas] how many of which service; one of each by default
 */
export const instances = (replicas = {}) =>
  SERVICES.flatMap((service) =>
    Array.from({ length: replicas[service] ?? 1 }, (_, index) => ({ name: index === 0 ? service : `${service}-${index + 1}`, service })),
  );

/**
 * Starts one process of a service and waits until it is ready.
 * @param {{ name: string, service: string }} instance
 * @param {object} world what it stands on: `{ dirs, ports, wires, kafka, vault, databaseUrl(role), tracing, settings, failpoints, spared, nodeArguments, log, signal }`
 */
export async function startService({ name, service: kind }, world) {
  const { dirs, ports, log, signal } = world;
  const service = new Supervised({
    name,
    dirs,
    command: projectNode,
    args: ['--enable-source-maps', ...(world.nodeArguments ?? []), entry(kind)],
    env: environment(
      serviceEnvironment(kind, { ...world, port: ports[name], failpoints: world.spared?.includes(name) ? undefined : world.failpoints }),
    ),
    cwd: dirs.home,
    ready: () => answers(`http://${HOST}:${ports[name]}/readyz`),
    log,
    signal,
  });
  return Object.assign(await service.start(), { port: ports[name] });
}

/** One folder a service: replicas share it, and whoever comes by first is hit. */
function failpointsOf(folder, service) {
  const own = join(folder, service);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  return own;
}

function serviceEnvironment(name, { dirs, port, wires, kafka, vault, databaseUrl, tracing, settings, failpoints }) {
  return {
    ...Object.fromEntries(PASSED_ON.filter((key) => process.env[key]).map((key) => [key, process.env[key]])),
    NODE_ENV: 'production',
    MAYFLY_PROFILE: 'dev',
    MAYFLY_SERVICE: name,
    HTTP_HOST: HOST,
    HTTP_PORT: String(port),
    KAFKA_BROKERS: kafka.brokers.map((broker) => wires.through('kafka', broker)).join(','),
    KAFKA_TOPIC_PREFIX: 'mayfly',
    VAULT_ADDR: wires.through(`vault.${name}`, vault.address),
    VAULT_JWT_FILE: join(dirs.svid, `${name}.jwt`),
    VAULT_AUTH_MOUNT: 'jwt',
    VAULT_ROLE: `mayfly-${name}`,
    DATABASE_URL: wires.through(`postgres.${name}`, databaseUrl(`mayfly_${name}`)),
    ...(READS_TRUST.includes(name) && { MAYFLY_TRUST_FILE: settings.trust }),
    // A set may be signed, and then its signature counts; unsigned ones are taken on a developer's machine only.
    ...(READS_POLICIES.includes(name) && { MAYFLY_POLICY_KEYS_FILE: settings.policyKeys, MAYFLY_POLICY_SIGNATURES: 'accepted' }),
    ...(READS_TARGETS.includes(name) && { MAYFLY_TARGETS_FILE: settings.targets[name] }),
    ...(failpoints && { MAYFLY_FAILPOINTS: failpointsOf(failpoints, name) }),
    ...tracing.environment,
  };
}
