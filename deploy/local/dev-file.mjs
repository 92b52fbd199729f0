/** `dev.json`: where everything is (contract §5). It appears only when all of it can be used. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyFile } from './keys.mjs';
import { environment } from './environment.mjs';
import { projectNode, root } from './layout.mjs';
import { HOST } from './ports.mjs';
import { run } from './run.mjs';
import { TRUST_DOMAIN } from './trust-domain.mjs';

/** Loads the worked example into an empty ledger, then writes `dev.json`. Gives back its content. */
export async function publish(world) {
  const { dirs, services } = world;
  const dev = describe(world);
  const unpublished = join(dirs.config, 'dev.json');
  writeFileSync(unpublished, JSON.stringify(dev, null, 2), { mode: 0o600 });
  if (services) await applyExample(dirs, unpublished, world.signal);
  renameSync(unpublished, dirs.devFile);
  return dev;
}

function describe({ dirs, ports, kafka, vault, databases, tracing, issuer }) {
  return {
    kafka: { brokers: kafka.brokers, topicPrefix: 'mayfly' },
    vault: { address: vault.address },
    postgres: { url: databases.url('mayfly_owner') },
    delivery: { url: `http://${HOST}:${ports.delivery}` },
    console: { url: `http://${HOST}:${ports.console}` },
    trustDomain: TRUST_DOMAIN,
    issuer: { url: issuer },
    zipkin: { url: tracing.url },
    orders: { host: databases.orders.host, port: databases.orders.port, database: 'orders' },
    keys: { agents: keyFile(dirs.keys, 'agents') },
    home: dirs.home,
    logs: dirs.logs,
    run: dirs.run,
    ports,
  };
}

/** Once per ledger: what an operator applied later is not replaced at the next start. */
async function applyExample(dirs, devFile, signal) {
  const cli = join(root, 'libs', 'cli', 'bin', 'mayfly.mjs');
  const done = join(dirs.state, 'example-applied');
  if (existsSync(done) || !existsSync(cli)) return;
  await run(projectNode, [cli, 'policy', 'apply', join(root, 'deploy', 'policies', 'example'), '--yes'], {
    what: 'applying the example policies',
    logFile: join(dirs.logs, 'policy-apply.log'),
    env: environment({ MAYFLY_DEV_JSON: devFile }),
    signal,
  });
  writeFileSync(done, new Date().toISOString());
}
