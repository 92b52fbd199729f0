/** The worked example's capabilities (contract §6), as the catalogue has them. */
import type { Capability } from '@mayfly/domain';

const entry = (name: string, rest: Pick<Capability, 'engine' | 'shape' | 'mount' | 'role' | 'parameters'>): Capability => ({
  name,
  mint: 'on-start',
  access: 'read',
  onVaultDrift: 'alarm',
  vaultPolicy: `cap-${name}`,
  dataClass: 'internal',
  maxTtlSeconds: 3600,
  maxFetches: 10,
  probe: false,
  ...rest,
});

export const CATALOGUE = {
  read: entry('orders-db.read', { engine: 'database', shape: 'revocable', mount: 'database', role: 'orders-read' }),
  write: entry('orders-db.write', { engine: 'database', shape: 'revocable', mount: 'database', role: 'orders-write' }),
  owner: entry('orders-db.owner', { engine: 'database', shape: 'revocable', mount: 'database', role: 'orders-owner' }),
  reports: entry('reports.kv', { engine: 'kv', shape: 'static', mount: 'kv', role: 'reports/daily' }),
  certificate: entry('service.cert', {
    engine: 'pki',
    shape: 'revocable',
    mount: 'pki',
    role: 'service',
    parameters: { common_name: 'task.svc.example.org' },
  }),
  bastion: entry('bastion.ssh', { engine: 'ssh', shape: 'expiry-only', mount: 'ssh', role: 'bastion' }),
  payload: entry('payload.key', { engine: 'transit', shape: 'static', mount: 'transit', role: 'payload' }),
} as const;
