/** `dev.json`: where everything is (contract §5). It appears only when all of it can be used. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyFile } from './keys.mjs';
import { HOST } from './ports.mjs';
import { TRUST_DOMAIN } from './trust-domain.mjs';

/**
 * Writes the file where only the launcher looks for it, for the command line that it runs itself.
 * @returns `{ dev, file, publish() }`; `publish` puts it where everybody looks
 */
export function writeDevFile(world) {
  const dev = describe(world);
  const file = join(world.dirs.config, 'dev.json');
  writeFileSync(file, JSON.stringify(dev, null, 2), { mode: 0o600 });
  return { dev, file, publish: () => renameSync(file, world.dirs.devFile) };
}

function describe({ dirs, ports, wires, kafka, vault, databases, tracing, issuer }) {
  return {
    kafka: { brokers: kafka.brokers, topicPrefix: 'mayfly' },
    vault: { address: vault.address },
    postgres: { url: databases.url('mayfly_owner') },
    delivery: { url: `http://${HOST}:${ports.delivery}` },
    console: { url: `http://${HOST}:${ports.console}` },
    trustDomain: TRUST_DOMAIN,
    issuer: { url: issuer },
    zipkin: { url: tracing.url },
    ...(wires.url && { wires: { url: wires.url } }),
    orders: { host: databases.orders.host, port: databases.orders.port, database: 'orders' },
    keys: { agents: keyFile(dirs.keys, 'agents'), policy: keyFile(dirs.keys, 'policy') },
    home: dirs.home,
    logs: dirs.logs,
    run: dirs.run,
    ports,
  };
}
