/** What a capability is in Vault as one digest: the same on every fresh server, and another one after any change that matters. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Capability } from '@mayfly/domain';
import { readPolicyFiles, readPolicySet } from '@mayfly/policy';
import { vaultForReconciler } from '../../src/index.js';
import { provisionAgain, raw, type Servers } from '../servers.js';

export function capabilitiesHaveDigests(servers: () => Servers): void {
  describe('what a capability is in Vault', () => {
    let capabilities: readonly Capability[];
    let provisioner: string;
    const digest = (name: string) => reader().digest(capabilities.find((one) => one.name === name)!);
    let made: ReturnType<typeof vaultForReconciler> | undefined;
    const reader = () =>
      (made ??= vaultForReconciler({ address: servers().address, jwtFile: servers().jwtFile('revoker'), role: 'mayfly-reconciler' }));
    const write = (path: string, body: object) => raw(servers().address, 'POST', path, provisioner, body);

    beforeAll(async () => {
      ({ capabilities } = readPolicySet(await readPolicyFiles('deploy/policies/example')));
      const jwt = readFileSync(servers().jwtFile('provisioner'), 'utf8');
      const login = await raw(servers().address, 'POST', 'auth/jwt/login', undefined, { role: 'mayfly-provisioner', jwt });
      provisioner = login.body.auth.client_token;
    });
    afterAll(() => provisionAgain(servers()));

    it('is what the example’s catalogue declares, on a fresh server and after each start', async () => {
      const declared = capabilities.filter(({ vaultDigest }) => vaultDigest !== undefined);
      expect(declared.map(({ name }) => name)).toEqual(expect.arrayContaining(['orders-db.read', 'orders-db.write']));
      const found = async () => Promise.all(capabilities.map(async ({ name }) => [name, await digest(name)]));
      const first = await found();
      for (const { name, vaultDigest } of declared) expect(first).toContainEqual([name, vaultDigest]);
      await provisionAgain(servers());
      expect(await found()).toEqual(first);
      expect(new Set(first.map(([, each]) => each)).size).toBe(capabilities.length);
    });

    it.each<[string, string, string, object]>([
      [
        'orders-db.read',
        'its policy',
        'sys/policies/acl/cap-orders-db.read',
        { policy: 'path "database/creds/+" { capabilities = ["read"] }' },
      ],
      ['orders-db.write', 'its role’s statements', 'database/roles/orders-write', { db_name: 'orders', creation_statements: ['SELECT 1'] }],
      ['service.cert', 'its role', 'pki/roles/service', { allow_any_name: true }],
      ['bastion.ssh', 'its role', 'ssh/roles/bastion', { key_type: 'ca', allow_user_certificates: true, allowed_users: '*' }],
    ])('of %s is another one once %s was changed, and the same again once that was changed back', async (name, _, path, body) => {
      const before = await digest(name);
      expect((await write(path, body)).status).toBeLessThan(300);
      expect(await digest(name)).not.toBe(before);
      await provisionAgain(servers());
      expect(await digest(name)).toBe(before);
    });

    it.each<[string, string, object]>([
      ['orders-db.read', 'database/roles/orders-read', { rollback_statements: ['SELECT 1'], renew_statements: ['SELECT 1'] }],
      ['orders-db.write', 'database/roles/orders-write', { default_ttl: '1h', max_ttl: '24h', revocation_statements: ['SELECT 1'] }],
      ['service.cert', 'pki/roles/service', { organization: ['Elsewhere'], client_flag: false, key_usage: [] }],
      ['bastion.ssh', 'ssh/roles/bastion', { key_type: 'ca', allow_host_certificates: true, allowed_critical_options: 'force-command' }],
    ])(
      'of %s is the same again after the next start, though somebody set at %s what provisioning has no wish for',
      async (name, path, body) => {
        const before = await digest(name);
        expect((await write(path, body)).status).toBeLessThan(300);
        expect(await digest(name)).not.toBe(before);
        await provisionAgain(servers());
        expect(await digest(name)).toBe(before);
      },
    );

    it('is nothing where the role or the policy is not there', async () => {
      const capability = capabilities.find(({ name }) => name === 'orders-db.read')!;
      expect(await reader().digest({ ...capability, role: 'nobody' })).toBeUndefined();
      expect(await reader().digest({ ...capability, vaultPolicy: 'cap-nobody' })).toBeUndefined();
    });

    it('cannot be read past what the reconciler may read, and that is told apart from nothing', async () => {
      const capability = capabilities.find(({ name }) => name === 'payload.key')!;
      await expect(reader().digest({ ...capability, role: 'mayfly-task-token' })).rejects.toMatchObject({ code: 'inventory-refused' });
    });
  });
}
