/** What Mayfly stands on: each server is started here, or taken from the environment variable that names one. */
import { join } from 'node:path';
import { prepareDatabases } from './databases.mjs';
import { servicePublicKeyFile } from './keys.mjs';
import { environment } from './environment.mjs';
import { projectNode, root } from './layout.mjs';
import { run } from './run.mjs';
import * as kafka from './servers/kafka.mjs';
import * as openbao from './servers/openbao.mjs';
import * as postgres from './servers/postgres.mjs';
import * as zipkin from './servers/zipkin.mjs';

const script = (...path) => join(root, 'deploy', ...path);

/** Kafka with its topics. Gives back `{ brokers }`. */
export async function withKafka({ dirs, ports, up, wires, signal }) {
  const brokers = process.env.KAFKA_BROKERS?.split(',') ?? [
    (await up(kafka, { port: ports.kafka, controllerPort: ports.kafkaController, second: wires.kafka })).broker,
  ];
  await run(projectNode, [script('kafka', 'topics.mjs')], {
    what: 'making the topics',
    logFile: join(dirs.logs, 'kafka-topics.log'),
    env: environment({ KAFKA_BROKERS: brokers.join(','), KAFKA_TOPIC_PREFIX: 'mayfly' }),
    signal,
  });
  return { brokers };
}

/** PostgreSQL with the ledger and the demo database. Gives back `{ url(role), orders }`. */
export async function withDatabases({ dirs, ports, up, signal }) {
  const named = process.env.DATABASE_URL;
  const adminUrl = named ?? (await up(postgres, { port: ports.postgres })).url;
  const ledger = named ? new URL(named).pathname.slice(1) : 'mayfly';
  return prepareDatabases({ dirs, adminUrl, ledger, signal });
}

/** OpenBao or Vault, unsealed. Gives back `{ address }`. */
export async function withVault({ dirs, ports, up }) {
  const named = process.env.VAULT_ADDR;
  if (named) return { address: named };
  const servicePublicKey = servicePublicKeyFile(dirs.keys);
  return up(openbao, { port: ports.openbao, clusterPort: ports.openbaoCluster, servicePublicKeyFile: servicePublicKey });
}

/** Brings Vault's mounts, policies and roles to what deploy/openbao describes. */
export async function provisionVault({ dirs, wires, vault, orders, signal }) {
  const [host, port] = wires.through('engine', `${orders.host}:${orders.port}`).split(':');
  const stranger = process.env.VAULT_ADDR ? `; the server at VAULT_ADDR must trust ${servicePublicKeyFile(dirs.keys)} (auth/jwt)` : '';
  await run(projectNode, [script('openbao', 'provision.mjs')], {
    what: `provisioning Vault's mounts, policies and roles${stranger}`,
    logFile: join(dirs.logs, 'openbao-provision.log'),
    env: environment({
      VAULT_ADDR: vault.address,
      VAULT_JWT_FILE: join(dirs.svid, 'provisioner.jwt'),
      ORDERS_DB_HOST: host,
      ORDERS_DB_PORT: port,
      ORDERS_DB_ADMIN_USER: orders.user,
      ORDERS_DB_ADMIN_PASSWORD: orders.password,
    }),
    signal,
  });
}

/** A trace store. Gives back `{ environment, url? }`: what tells the services of it, and its web page when it is ours. */
export async function withTracing({ ports, up, wires }) {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, ZIPKIN_ENDPOINT } = process.env;
  if (OTEL_EXPORTER_OTLP_ENDPOINT) return { environment: { OTEL_EXPORTER_OTLP_ENDPOINT } };
  if (ZIPKIN_ENDPOINT) return { environment: { ZIPKIN_ENDPOINT } };
  const { url } = await up(zipkin, { port: ports.zipkin });
  return { environment: { ZIPKIN_ENDPOINT: wires.through('zipkin', `${url}/api/v2/spans`) }, url };
}
