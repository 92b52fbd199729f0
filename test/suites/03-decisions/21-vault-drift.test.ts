import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { PolicyFiles } from '@mayfly/policy';
import { figure, secondsSince } from '../../world/faults.js';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { VaultEyes } from '../../world/vault-eyes.js';
import { until, World } from '../../world/world.js';

/** A capability of this file alone, so that what is done to it in Vault is no other test's business. */
const CAPABILITY = 'orders-db.watched';
const VAULT_POLICY = `cap-${CAPABILITY}`;
const AS_MEANT = 'path "database/creds/orders-owner" {\n  capabilities = ["read"]\n}\n';
const BY_HAND = 'path "database/creds/*" {\n  capabilities = ["read"]\n}\n';

let world: World;
let hold: PolicyHold;
let vault: VaultEyes;
let initiator: string;
let digest: string;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
  vault = new VaultEyes(world.dev);
  initiator = `watch-${world.newTaskId()}@example.org`;
  await vault.writePolicy(VAULT_POLICY, AS_MEANT);
  // As an author reads it to pin it.
  await hold.apply(withCapability(''));
  await inState('not-declared');
  digest = (await watched())['found']!;
}, 300_000);
beforeEach(() => vault.writePolicy(VAULT_POLICY, AS_MEANT));
afterAll(async () => {
  await hold?.release();
  await world?.close();
});

const withCapability = (more: string, role = 'orders-owner'): PolicyFiles => ({
  ...hold.example,
  'catalogue.yaml': hold.example['catalogue.yaml']!.replace(
    /^capabilities:\n/m,
    `capabilities:
  ${CAPABILITY}:
    engine: database
    shape: revocable
    mint: on-fetch
    mount: database
    role: ${role}
    vaultPolicy: ${VAULT_POLICY}
    dataClass: internal
    maxTtlSeconds: 900
    maxFetches: 10
    target: orders
    probe: true
${more}
`,
  ),
  'policies/test-watched.cedar': `@id("test-watched")
permit (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource == Mayfly::Capability::"${CAPABILITY}")
when { context has initiator && context.initiator == Mayfly::Initiator::"${initiator}" };
`,
});
const watched = async (): Promise<Record<string, string>> => {
  const { body } = await world.operate('/v1/capabilities', { as: 'viewer' });
  return (body.capabilities as Record<string, string>[]).find(({ name }) => name === CAPABILITY)!;
};
const inState = (state: string) => until(`it is ${state}`, async () => ((await watched())['state'] === state ? true : undefined));
const alarm = async (): Promise<string | undefined> => {
  const text = await (await fetch(`http://127.0.0.1:${world.dev.ports['revoker']}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith('mayfly_vault_drift{') && each.includes(`"${CAPABILITY}"`));
  return line?.split(' ').at(-1);
};
const startBoth = () =>
  world.start(['orders-db.read', { name: 'watched', capability: CAPABILITY }], { data: { initiator: { id: initiator, kind: 'human' } } });
const fetchWatched = (taskId: string) => world.agent().secret(taskId, 'watched', { waitSeconds: 15 });

test('a policy that somebody changes in Vault: no mint, an alarm, and with `revoke` its leases die at the database; siblings live; changed back it mints again', async () => {
  await hold.apply(withCapability(`    vaultDigest: ${digest}\n    onVaultDrift: revoke`));
  await inState('as-declared');
  const taskId = await startBoth();
  const lost = await fetchWatched(taskId);
  const kept = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  const sibling = await world.start('orders-db.read');
  const others = await world.agent().secret(sibling, 'orders-db', { waitSeconds: 15 });
  expect(await alarm()).toBe('0');

  const changed = performance.now();
  await vault.writePolicy(VAULT_POLICY, BY_HAND);
  const rang = until('the alarm rings', async () => ((await alarm()) === '1' ? secondsSince(changed) : undefined));
  const dead = until('the login is refused', async () => ((await world.isRefused(lost.data)) ? secondsSince(changed) : undefined));
  const confirmed = world
    .event(taskId, 'credential.revoked', ({ data }) => data['leaseRef'] === lost.leaseRef)
    .then(({ data }) => [secondsSince(changed), data] as const);
  const [alarmed, died, [known, said]] = await Promise.all([rang, dead, confirmed]);
  expect(await world.ask(`/v1/tasks/${taskId}/secrets/watched`)).toMatchObject({ status: 403, body: { code: 'denied' } });
  figure(`Vault-side drift: no mint and an alarm after ${alarmed} s, refused by the database after ${died} s, confirmed after ${known} s`);
  expect(Math.max(alarmed, died)).toBeLessThan(5);
  expect(said).toMatchObject({ cause: 'policy_drift', drift: 'vault', credential: 'watched' });
  for (const { data } of [kept, others]) expect(await world.isRefused(data)).toBe(false);
  expect(await watched()).toMatchObject({ state: 'differs', differsSince: expect.any(String) });

  const late = await startBoth();
  expect((await world.event(late, 'grant.issued')).data).toMatchObject({
    credentials: [{ decision: 'permit' }, { decision: 'deny', reasons: ['vault-drift'] }],
  });

  const back = performance.now();
  await vault.writePolicy(VAULT_POLICY, AS_MEANT);
  await inState('as-declared');
  const again = await fetchWatched(taskId);
  figure(`changed back: minted again after ${secondsSince(back)} s`);
  expect(await world.isRefused(again.data)).toBe(false);
  expect(await alarm()).toBe('0');
  for (const id of [taskId, late, sibling]) await world.end(id);
}, 60_000);

test('with `alarm` nothing more is minted, and what lives goes on', async () => {
  await hold.apply(withCapability(`    vaultDigest: ${digest}`));
  await inState('as-declared');
  const taskId = await startBoth();
  const held = await fetchWatched(taskId);
  await vault.writePolicy(VAULT_POLICY, BY_HAND);
  await inState('differs');
  expect(await world.ask(`/v1/tasks/${taskId}/secrets/watched`)).toMatchObject({ status: 403, body: { code: 'denied' } });
  expect(await world.isRefused(held.data)).toBe(false);
  expect(world.eventsOf(taskId, 'credential.revoked')).toEqual([]);
  await vault.writePolicy(VAULT_POLICY, AS_MEANT);
  await inState('as-declared');
  expect(await world.isRefused((await fetchWatched(taskId)).data)).toBe(false);
  await world.end(taskId);
}, 60_000);

test('a role that is not in Vault at all is not what the catalogue declares: no decision lets it through', async () => {
  await hold.apply(withCapability(`    vaultDigest: sha256:${'0'.repeat(64)}`, 'orders-nobody'));
  await inState('differs');
  expect((await watched())['found']).toBeNull();
  const taskId = await startBoth();
  expect((await world.event(taskId, 'grant.issued')).data['credentials'][1]).toMatchObject({ decision: 'deny', reasons: ['vault-drift'] });
  await world.end(taskId);
}, 60_000);
