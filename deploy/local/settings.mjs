/** The configuration files that the launcher writes for the services: whom they trust, whose policy sets they use, and which targets they know. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicJwk } from './keys.mjs';
import { TRUST_DOMAIN } from './trust-domain.mjs';

/**
 * Writes them into the home's `config` folder.
 * @returns their paths: `{ trust, policyKeys, targets: { delivery, revoker } }`; only the revoker's copy can look at a target
 */
export function writeSettings({ dirs, wires, issuer, orders }) {
  const write = (name, content) => {
    const file = join(dirs.config, name);
    writeFileSync(file, JSON.stringify(content, null, 2), { mode: 0o600 });
    return file;
  };
  const keys = wires.through('identity', issuer);
  const quarantine = { ...orders.quarantine, url: wires.through('target', orders.quarantine.url) };
  const target = { kind: 'postgres', connection: { host: orders.host, port: orders.port, database: 'orders' } };
  return {
    trust: write('trust.json', {
      audience: 'mayfly',
      trustDomains: [{ name: TRUST_DOMAIN, bundle: { url: `${keys}/spiffe/bundle` } }],
      workloadIssuers: [],
      operators: { issuer, jwks: { url: `${keys}/jwks` }, audience: 'mayfly-console', rolesClaim: 'roles' },
    }),
    policyKeys: write('policy-keys.json', { keys: [publicJwk(dirs.keys, 'policy', 'sig')] }),
    targets: {
      delivery: write('targets.delivery.json', { orders: target }),
      revoker: write('targets.revoker.json', { orders: { ...target, probeUrl: wires.through('target', orders.probeUrl), quarantine } }),
    },
  };
}
