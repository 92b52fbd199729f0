/** Vault-side drift as the revoker sees it, on a real ledger and a Vault that is what the test says. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock, VaultUnavailable, type Capability } from '@mayfly/domain';
import { driftedCapabilities, heedVault, vaultDigests } from '@mayfly/store';
import { createLogger } from '@mayfly/telemetry';
import { AT, capability, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { VaultComparison } from '../src/compare-vault.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await ledger.database.run('', 'truncate ledger.vault_digest, evidence.intake');
});

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const watched = capability({ vaultDigest: DIGEST });
const sibling = capability({ name: 'orders-db.write', vaultDigest: DIGEST, onVaultDrift: 'revoke' });
const free = capability({ name: 'service.cert' });

function comparing(capabilities: readonly Capability[] = [watched, sibling, free]) {
  const clock = new ManualClock(AT);
  const found: Record<string, string | undefined | Error> = Object.fromEntries(capabilities.map(({ name }) => [name, DIGEST]));
  const asked: string[] = [];
  const digest = async ({ name }: Capability): Promise<string | undefined> => {
    asked.push(name);
    const answer = found[name];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const logger = createLogger({ service: 'test', level: 'silent' as 'fatal' });
  /** What Vault says of how far its log is; undefined: nothing. */
  const log: { at?: string } = {};
  const marks = { mark: async () => log.at };
  const on = { database: ledger.database, clock, logger, vault: { digest }, marks, capabilities: async () => capabilities };
  return { clock, found, asked, log, on, comparison: new VaultComparison(on) };
}
const set = (capabilities: readonly Capability[] = [watched, sibling, free]) => ({
  capabilities,
  capability: (name: string) => capabilities.find((one) => one.name === name),
});
const drifted = async (capabilities?: readonly Capability[]) => [...(await driftedCapabilities(ledger.database, set(capabilities)))];
/** What this session has written is counted once it says so. */
const settledCounts = () => ledger.database.run('', 'select pg_stat_force_next_flush()');
const facts = async () =>
  (await ledger.database.run<{ fact: { kind: string; data: object } }>('', 'select fact from evidence.intake order by id')).map(
    ({ fact: { kind, data } }) => [kind.replace('dev.mayfly.evidence.', ''), data],
  );

describe('what is in Vault as declared', () => {
  test('is no drift, and no news', async () => {
    const { comparison } = comparing();
    await comparison.round();
    expect(await drifted()).toEqual([]);
    expect(await facts()).toEqual([]);
    expect(await comparison.differing()).toEqual([
      [0, { 'mayfly.capability': 'orders-db.read' }],
      [0, { 'mayfly.capability': 'orders-db.write' }],
    ]);
  });
});

describe('what differs', () => {
  test('is said once, with what was declared and what was found, and once more when it is as declared again', async () => {
    const { comparison, found, clock } = comparing();
    await comparison.round();
    found['orders-db.read'] = OTHER;
    clock.advance(1_000);
    for (let round = 0; round < 3; round += 1) await comparison.round();
    expect(await drifted()).toEqual(['orders-db.read']);
    expect(await comparison.differing()).toContainEqual([1, { 'mayfly.capability': 'orders-db.read' }]);
    expect((await vaultDigests(ledger.database)).get('orders-db.read')?.since).toEqual(new Date(AT.getTime() + 1_000));
    found['orders-db.read'] = DIGEST;
    for (let round = 0; round < 3; round += 1) await comparison.round();
    expect(await drifted()).toEqual([]);
    const about = { capability: 'orders-db.read', declared: DIGEST, onVaultDrift: 'alarm', vaultPolicy: 'cap-orders-db.read' };
    expect(await facts()).toEqual([
      ['vault-drift.v1', { ...about, found: OTHER, mount: 'database', role: 'orders-read' }],
      ['vault-drift-resolved.v1', { ...about, found: DIGEST, mount: 'database', role: 'orders-read' }],
    ]);
  });

  test('at the very first look is drift too', async () => {
    const { comparison, found } = comparing();
    found['orders-db.write'] = OTHER;
    await comparison.round();
    expect(await drifted()).toEqual(['orders-db.write']);
    expect((await facts()).map(([kind]) => kind)).toEqual(['vault-drift.v1']);
  });

  test('may be that it is not there at all', async () => {
    const { comparison, found } = comparing();
    found['orders-db.read'] = undefined;
    await comparison.round();
    expect(await drifted()).toEqual(['orders-db.read']);
    expect(await facts()).toEqual([['vault-drift.v1', expect.objectContaining({ found: null })]]);
  });

  test('is stated once, whichever of two replicas saw it', async () => {
    const [one, two] = [comparing(), comparing()];
    for (const { found } of [one, two]) found['orders-db.read'] = OTHER;
    await Promise.all([one.comparison.round(), two.comparison.round()]);
    expect(await facts()).toHaveLength(1);
  });

  test('is not said of a declaration that was not compared yet: what was found for another one may be old', async () => {
    const { comparison } = comparing();
    await comparison.round();
    const anew = [{ ...watched, vaultDigest: OTHER }];
    expect(await drifted(anew)).toEqual([]);
    await comparing(anew).comparison.round();
    expect(await drifted(anew)).toEqual(['orders-db.read']);
    expect(await drifted([free])).toEqual([]);
  });

  test('is not said of what is declared as it was found while nobody declared it, however old that is', async () => {
    const { comparison, found, on } = comparing([free]);
    found['service.cert'] = OTHER;
    await comparison.round();
    const declared = { ...free, vaultDigest: DIGEST };
    expect(await drifted([declared])).toEqual([]);
    found['service.cert'] = DIGEST;
    await new VaultComparison({ ...on, capabilities: async () => [declared] }).round();
    expect(await drifted([declared])).toEqual([]);
  });
});

test('what declares nothing is read now and then, for those who want to declare it, and never differs', async () => {
  const { comparison, asked, found } = comparing();
  found['service.cert'] = OTHER;
  for (let round = 0; round < 16; round += 1) await comparison.round();
  expect(asked.filter((name) => name === 'service.cert')).toHaveLength(2);
  expect(asked.filter((name) => name === 'orders-db.read')).toHaveLength(16);
  expect(await drifted()).toEqual([]);
  expect(await facts()).toEqual([]);
  expect((await vaultDigests(ledger.database)).get('service.cert')).toMatchObject({ declared: null, found: OTHER });
});

describe('while nothing was written', () => {
  test('neither in Vault nor in the ledger, nothing is read again, and the age stays young', async () => {
    const { comparison, asked, log } = comparing();
    log.at = 'leader 7';
    // What was noted at the first look was written in the ledger.
    await settledCounts();
    for (let round = 0; round < 2; round += 1) await comparison.round();
    await settledCounts();
    for (let round = 0; round < 15; round += 1) await comparison.round();
    asked.length = 0;
    for (let round = 0; round < 30; round += 1) await comparison.round();
    expect(asked).toEqual([]);
    expect(comparison.ageSeconds()).toBeLessThan(5);
  });

  test('a write in Vault is seen at the very next round, and what declares nothing in one of the next fifteen', async () => {
    const { comparison, asked, found, log } = comparing();
    log.at = 'leader 7';
    for (let round = 0; round < 20; round += 1) await comparison.round();
    log.at = 'leader 8';
    found['orders-db.read'] = OTHER;
    found['service.cert'] = OTHER;
    asked.length = 0;
    await comparison.round();
    expect(await drifted()).toEqual(['orders-db.read']);
    for (let round = 0; round < 15; round += 1) await comparison.round();
    expect(asked).toContain('service.cert');
  });

  test('another catalogue is compared all the same', async () => {
    const { on, log, asked } = comparing();
    log.at = 'leader 7';
    let current = [watched];
    const comparison = new VaultComparison({ ...on, capabilities: async () => current });
    for (let round = 0; round < 20; round += 1) await comparison.round();
    current = [{ ...watched, vaultDigest: OTHER }];
    asked.length = 0;
    await comparison.round();
    expect(asked).toEqual(['orders-db.read']);
    expect(await drifted(current)).toEqual(['orders-db.read']);
  });

  test('what could not be read is read again at every round', async () => {
    const { comparison, asked, found, log } = comparing();
    log.at = 'leader 7';
    found['orders-db.read'] = new VaultUnavailable();
    for (let round = 0; round < 3; round += 1) await comparison.round().catch(() => undefined);
    expect(asked.filter((name) => name === 'orders-db.read')).toHaveLength(3);
  });
});

test('one that cannot be read keeps what is known of it, keeps no other from being read, and shows in the age', async () => {
  const { comparison, found } = comparing();
  found['orders-db.read'] = OTHER;
  await comparison.round();
  const before = comparison.ageSeconds();
  found['orders-db.read'] = new VaultUnavailable();
  found['orders-db.write'] = OTHER;
  await expect(comparison.round()).rejects.toMatchObject({ code: 'vault-unavailable' });
  expect((await drifted()).sort()).toEqual(['orders-db.read', 'orders-db.write']);
  expect(comparison.ageSeconds()).toBeGreaterThan(before);
});

test('decisions heed it: a permit becomes a deny, and live grants lose only what shall end for it', async () => {
  const { comparison, found } = comparing();
  found['orders-db.read'] = OTHER;
  found['orders-db.write'] = OTHER;
  await comparison.round();
  const permit = { id: 'd', decision: 'permit', reasons: ['policy-permits'], policies: ['p'], policyDigest: '', intentDigest: '' } as const;
  const policy = { set: set(), decider: { decide: async () => permit } } as never;
  const ask = async (what: 'all' | 'revoked', name: string) => {
    const { decider } = await heedVault(ledger.database, policy, what);
    const { decision, reasons, policies } = await decider.decide({ action: 'fetch', capability: name } as never);
    return [decision, ...reasons, ...policies];
  };
  expect(await ask('all', 'orders-db.read')).toEqual(['deny', 'vault-drift']);
  expect(await ask('all', 'service.cert')).toEqual(['permit', 'policy-permits', 'p']);
  expect(await ask('revoked', 'orders-db.read')).toEqual(['permit', 'policy-permits', 'p']);
  expect(await ask('revoked', 'orders-db.write')).toEqual(['deny', 'vault-drift']);
});
