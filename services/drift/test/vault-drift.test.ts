/** What live grants lose when Vault is no longer what the catalogue declares. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readPolicyFiles, readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { findGrantByTask, noteVaultDigest } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { followVault } from '../src/flow.js';
import { PolicyFollower } from '../src/policy-follower.js';
import { driftOn, KEPT, leaseStates, live, losses } from './world.js';

let ledger: Ledger;
let digest: string;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await ledger.database.run('', `update ledger.task_grant set state = 'closing', prior_state = 'granted' where state = 'granted'`);
  await ledger.database.run('', 'truncate ledger.vault_digest');
  digest = await applyExample(ledger.database);
});

const states = (id: Parameters<typeof leaseStates>[1]) => leaseStates(ledger.database, id);
const OTHER = `sha256:${'b'.repeat(64)}`;
/** What the revoker does. */
async function found(name: string, what: string | null, change: (files: PolicyFiles) => PolicyFiles = (files) => files): Promise<void> {
  const capability = readPolicySet(change(await readPolicyFiles('deploy/policies/example'))).capability(name)!;
  await ledger.database.transaction('test', (tx) => noteVaultDigest(tx, { capability, found: what ?? capability.vaultDigest!, at: AT }));
}
/** The example, in which a read of the orders ends too when Vault differs. */
const revoking = (files: PolicyFiles): PolicyFiles => ({
  ...files,
  'catalogue.yaml': files['catalogue.yaml']!.replace(/(cap-orders-db.read\n\s+vaultDigest: \S+)/, '$1\n    onVaultDrift: revoke'),
});

test('an alarm leaves live leases alone', async () => {
  const grant = await live(ledger.database, digest);
  await found('orders-db.read', OTHER);
  expect(await followVault(driftOn(ledger.database))).toBe(0);
  expect(await states(grant.id)).toEqual(KEPT);
});

test('with `revoke` exactly its leases end, cause policy_drift, drift vault; and it is done once', async () => {
  const grant = await live(ledger.database, await applyExample(ledger.database, revoking));
  await found('orders-db.read', OTHER, revoking);
  expect(await followVault(driftOn(ledger.database))).toBe(1);
  expect(await states(grant.id)).toEqual({ ...KEPT, orders: 'revoking: policy_drift' });
  expect(await losses(ledger.database, grant.taskId)).toEqual([
    expect.objectContaining({ credential: 'orders', cause: 'policy_drift', drift: 'vault', reasons: ['vault-drift'] }),
  ]);
  expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ state: 'granted', lostCapabilities: ['orders-db.read'] });
  expect(await followVault(driftOn(ledger.database))).toBe(0);
});

test('what is in Vault as declared again, or no longer declared, is lost by nobody', async () => {
  const grant = await live(ledger.database, await applyExample(ledger.database, revoking));
  await found('orders-db.read', OTHER, revoking);
  await found('orders-db.read', null, revoking);
  expect(await followVault(driftOn(ledger.database))).toBe(0);
  await found('orders-db.read', OTHER, revoking);
  await applyExample(ledger.database, (files) => ({
    ...files,
    'catalogue.yaml': files['catalogue.yaml']!.replaceAll(/\n\s+vaultDigest: \S+/g, ''),
  }));
  expect(await followVault(driftOn(ledger.database))).toBe(0);
  expect(await states(grant.id)).toEqual(KEPT);
});

test('a new policy set that declares what Vault is not takes it from those who hold it, once it was compared', async () => {
  const grant = await live(ledger.database, await applyExample(ledger.database, revoking));
  await found('orders-db.read', null, revoking);
  const declaring = (files: PolicyFiles): PolicyFiles => ({
    ...files,
    'catalogue.yaml': revoking(files)['catalogue.yaml']!.replace(/(cap-orders-db.read\n\s+vaultDigest: )\S+/, `$1${OTHER}`),
  });
  await applyExample(ledger.database, declaring);
  const policies = new PolicyFollower(driftOn(ledger.database));
  const follow = async () => {
    while ((await policies.follow()) + (await followVault(driftOn(ledger.database))) > 0) await Promise.resolve();
  };
  await follow();
  expect(await states(grant.id)).toEqual(KEPT);
  await found('orders-db.read', `sha256:${'c'.repeat(64)}`, declaring);
  await follow();
  expect(await states(grant.id)).toEqual({ ...KEPT, orders: 'revoking: policy_drift' });
});
