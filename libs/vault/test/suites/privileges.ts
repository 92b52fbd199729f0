/** The privilege table: each service is tried with every other service's calls, and with what nobody may do. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { raw, type Servers } from '../servers.js';

type Call = readonly [method: string, path: string, body?: object];

const context = Buffer.from('task').toString('base64');
/** Every privilege that any service has; certificates and their state (`pki/cert/…`) are public, so that is none.
 *  A call may fail for other reasons than privilege (400, 404): it only must not be 403. */
const CALLS = {
  createTaskToken: [
    'POST',
    'auth/token/create/mayfly-task',
    { policies: ['cap-task'], ttl: '60s', explicit_max_ttl: '60s', no_default_policy: true },
  ],
  seal: ['POST', 'transit/encrypt/mayfly-task-token', { plaintext: context, context }],
  open: ['POST', 'transit/decrypt/mayfly-task-token', { ciphertext: 'vault:v1:AAAA', context }],
  revokeLease: ['POST', 'sys/leases/revoke', { lease_id: 'database/creds/orders-read/none', sync: true }],
  lookUpLease: ['POST', 'sys/leases/lookup', { lease_id: 'database/creds/orders-read/none' }],
  revokeToken: ['POST', 'auth/token/revoke-accessor', { accessor: 'none' }],
  lookUpToken: ['POST', 'auth/token/lookup-accessor', { accessor: 'none' }],
  revokeCertificate: ['POST', 'pki/revoke', { serial_number: '11:22' }],
  listTokens: ['GET', 'auth/token/accessors?list=true'],
  listLeases: ['GET', 'sys/leases/lookup/database/creds/orders-read?list=true'],
  listCertificates: ['GET', 'pki/certs?list=true'],
  countLeases: ['GET', 'sys/leases/count?type=irrevocable'],
  readPolicy: ['GET', 'sys/policies/acl/cap-orders-db.read'],
  readDatabaseRole: ['GET', 'database/roles/orders-read'],
  readCertificateRole: ['GET', 'pki/roles/service'],
  readSshRole: ['GET', 'ssh/roles/bastion'],
  readKey: ['GET', 'transit/keys/payload'],
  readMetadata: ['GET', 'kv/metadata/reports/daily'],
  readServicePolicy: ['GET', 'sys/policies/acl/mayfly-issuer'],
  sign: ['POST', 'transit/sign/mayfly-evidence', { input: context }],
  verifyingKey: ['GET', 'transit/keys/mayfly-evidence'],
  provision: ['POST', 'sys/policies/acl/cap-privilege-test', { policy: 'path "cubbyhole/x" { capabilities = ["read"] }' }],
} as const satisfies Record<string, Call>;

const MAY: Readonly<Record<string, readonly (keyof typeof CALLS)[]>> = {
  issuer: ['createTaskToken', 'seal', 'open'],
  delivery: ['open'],
  revoker: ['revokeLease', 'lookUpLease', 'revokeToken', 'lookUpToken', 'revokeCertificate'],
  reconciler: [
    'lookUpToken',
    'listTokens',
    'listLeases',
    'listCertificates',
    'countLeases',
    'readPolicy',
    'readDatabaseRole',
    'readCertificateRole',
    'readSshRole',
    'readKey',
    'readMetadata',
  ],
  evidence: ['sign', 'verifyingKey'],
  provisioner: ['readPolicy', 'readKey', 'readMetadata', 'readServicePolicy', 'verifyingKey', 'provision'],
};

/** What no service may do. */
const NOBODY: readonly Call[] = [
  ['GET', 'database/creds/orders-read'],
  ['GET', 'kv/data/reports/daily'],
  ['POST', 'pki/issue/service', { common_name: 'a.svc.example.org' }],
  ['POST', 'ssh/issue/bastion', {}],
  ['POST', 'transit/datakey/plaintext/payload', {}],
  ['POST', 'auth/token/create', { policies: ['cap-task'] }],
  ['POST', 'auth/token/create-orphan', {}],
  ['GET', 'sys/leases/lookup/database?list=true'],
  ['POST', 'sys/leases/revoke-prefix/database', {}],
  ['POST', 'sys/leases/revoke-force/database', {}],
  ['GET', 'sys/leases/lookup/auth/token?list=true'],
  ['GET', 'database/config/orders'],
  ['GET', 'transit/export/encryption-key/mayfly-task-token'],
  ['POST', 'auth/jwt/config', {}],
  ['POST', 'auth/jwt/role/mayfly-provisioner', {}],
  ['POST', 'sys/policies/acl/provisioner', { policy: '' }],
  ['POST', 'database/roles/orders-owner/x', {}],
  ['POST', 'sys/seal', {}],
];

export function privilegesAreMinimal(servers: () => Servers): void {
  const login = (service: string) =>
    raw(servers().address, 'POST', 'auth/jwt/login', undefined, {
      role: `mayfly-${service}`,
      jwt: readFileSync(servers().jwtFile(service === 'reconciler' ? 'revoker' : service), 'utf8'),
    });

  it.each(Object.keys(MAY))('lets %s do its own calls and nobody else’s', async (service) => {
    const { client_token: token, token_policies: policies } = (await login(service)).body.auth;
    expect(policies).toEqual([service === 'provisioner' ? service : `mayfly-${service}`]);
    const permitted: string[] = [];
    for (const [name, [method, path, body]] of Object.entries(CALLS) as [string, Call][]) {
      if ((await raw(servers().address, method, path, token, body)).status !== 403) permitted.push(name);
    }
    expect(permitted).toEqual(MAY[service]);
    for (const [method, path, body] of NOBODY) {
      expect([service, path, (await raw(servers().address, method, path, token, body)).status]).toEqual([service, path, 403]);
    }
  });

  it.each(['auth/jwt/login/h1', 'auth/token/create/h1', 'database/rotate-root/1', 'databases/creds/1', 'other/database/creds/1', ''])(
    '[bad 71] lets the revoker touch no lease outside of the engines that mint for tasks: %j',
    async (lease_id) => {
      const token = (await login('revoker')).body.auth.client_token;
      for (const path of ['sys/leases/revoke', 'sys/leases/lookup'])
        expect((await raw(servers().address, 'POST', path, token, { lease_id })).status).toBe(403);
    },
  );

  it.each(['drift', 'console'])('does not let %s in at all', async (service) => {
    expect((await login(service)).status).toBe(400);
  });

  it('lets a task token do nothing but what its capabilities and its own end need', async () => {
    const issuer = (await login('issuer')).body.auth.client_token;
    const [method, path, body] = CALLS.createTaskToken;
    const task = (await raw(servers().address, method, path, issuer, body)).body.auth.client_token;
    const refused = [...Object.values(CALLS).filter(([, path]) => path !== 'sys/leases/revoke'), ...NOBODY] as Call[];
    for (const [method, path, body] of refused) {
      expect([path, (await raw(servers().address, method, path, task, body)).status]).toEqual([path, 403]);
    }
  });
}
