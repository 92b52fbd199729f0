/** The reconcilers, on a real OpenBao, a real target and a real ledger. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock, newGrantId, newLeaseRef, taskId, type Capability } from '@mayfly/domain';
import { OrphanWatch } from '@mayfly/revocation';
import { activateLeases, amendGrant, findGrant, findLease, readTaskEntries, transitionGrant } from '@mayfly/store';
import { createLogger } from '@mayfly/telemetry';
import { vaultForIssuer, vaultForReconciler, vaultForRevoker } from '@mayfly/vault';
import { granted, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { CATALOGUE } from '../../../libs/vault/test/catalogue.js';
import { startServers, type Servers } from '../../../libs/vault/test/servers.js';
import { walksOfVault } from '../src/walks/all-walks.js';
import { certificates } from '../src/walks/certificates.js';
import { taskTokens } from '../src/walks/task-tokens.js';
import { walk } from '../src/walks/walk.js';

const ORPHAN = 'dev.mayfly.evidence.orphan-ended.v1';
const GONE = 'dev.mayfly.evidence.gone-in-vault.v1';
const logger = createLogger({ service: 'test', level: 'fatal' });
let servers: Servers;
let ledger: Ledger;
let issuer: ReturnType<typeof vaultForIssuer>;
let revoker: ReturnType<typeof vaultForRevoker>;
beforeAll(async () => {
  [servers, ledger] = await Promise.all([startServers(), startLedger()]);
  issuer = vaultForIssuer(as('issuer'));
  revoker = vaultForRevoker(as('revoker'));
}, 120_000);
afterAll(async () => {
  await Promise.all([servers?.stop(), ledger?.stop()]);
}, 30_000);

const as = (role: string, service = role) => ({ address: servers.address, jwtFile: servers.jwtFile(service), role: `mayfly-${role}` });

let clock: ManualClock;
let on: Parameters<typeof walksOfVault>[0];
let walks: ReturnType<typeof walksOfVault>;
beforeEach(() => {
  clock = new ManualClock(new Date());
  const reconciler = vaultForReconciler(as('reconciler', 'revoker'));
  on = { database: ledger.database, clock, logger, revoker, inventory: reconciler, marks: reconciler };
  walks = walksOfVault(on, async () => Object.values(CATALOGUE), 60);
});
/** One round, and another one when everything has been unexplained for long enough. */
const reconciled = async (): Promise<void> => {
  await walks.round();
  clock.advance(60_000);
  await walks.round();
};

const tokenFor = (grantId: ReturnType<typeof newGrantId>, capability: Capability = CATALOGUE.read) =>
  issuer.create({ grantId, taskId: taskId('walked'), tenant: 'default', policies: [capability.vaultPolicy], ttlSeconds: 600 });
/** A task with a token and a lease that really exist, in the ledger and in Vault. */
async function live(capability: Capability = CATALOGUE.read) {
  const at = clock.now();
  const deadline = new Date(at.getTime() + 3_600_000);
  const { grant, credential, lease } = await granted(ledger.database, { spec: capability, lease: false, deadline });
  const token = await tokenFor(grant.id, capability);
  await amendGrant(ledger.database, grant.id, 'granted', { tokenAccessor: token.accessor, sealedToken: token.sealed });
  const minted = await issuer.mint({ leaseRef: lease.ref, capability, ttlSeconds: 600, token: token.token });
  await ledger.database.transaction('test', (tx) =>
    activateLeases(tx, 'issuer', [{ grant, credential, lease, minted, ttlSeconds: 600, at }]),
  );
  return { grant, lease, token, minted };
}
const facts = async (id: string, kind: string) => (await readTaskEntries(ledger.database, id)).filter((fact) => fact.kind === kind);

describe('what Vault has and the ledger does not name', () => {
  test('a task token whose making was interrupted is ended, not before it has been unexplained for a minute; all others live on', async () => {
    const lost = await tokenFor(newGrantId());
    const known = await live();
    await walks.round();
    clock.advance(59_999);
    await walks.round();
    expect(await revoker.isTokenGone(lost.accessor)).toBe(false);
    clock.advance(1);
    await walks.round();
    expect(await revoker.isTokenGone(lost.accessor)).toBe(true);
    expect(await revoker.isTokenGone(known.token.accessor)).toBe(false);
    await issuer.health();
    await revoker.health();
  });

  test('a token is not looked up at the walk that sees it first: in the making, a look-up would kill it', async () => {
    const asked: string[] = [];
    const { inventory } = on;
    const grantOfToken = (accessor: string) => (asked.push(accessor), inventory.grantOfToken(accessor));
    const watched = { tokens: () => inventory.tokens(), grantOfToken } as unknown as typeof inventory;
    const own = taskTokens({ ...on, inventory: watched }, new OrphanWatch(60));
    const lost = await tokenFor(newGrantId());
    await walk(on, own);
    expect(asked).toEqual([]);
    await walk(on, own);
    expect(asked).toContain(lost.accessor);
  });

  test('a token that outlived its grant is ended with all that hangs on it, and reported with its task', async () => {
    const { grant, token, minted } = await live();
    await transitionGrant(ledger.database, grant.id, 'granted', 'closing');
    await transitionGrant(ledger.database, grant.id, 'closing', 'closed');
    await reconciled();
    expect(await revoker.isTokenGone(token.accessor)).toBe(true);
    expect(await facts(grant.taskId, ORPHAN)).toMatchObject([{ data: { engine: 'token', what: 'task token' } }]);
    while (!(await revoker.isLeaseGone(minted.vaultLeaseId!)));
  });

  test('a lease of which nobody got the id is ended at its target; the ones that are named live on', async () => {
    const { lease, minted, token } = await live();
    const lost = await issuer.mint({ leaseRef: newLeaseRef(), capability: CATALOGUE.read, ttlSeconds: 600, token: token.token });
    await reconciled();
    expect(await revoker.isLeaseGone(lost.vaultLeaseId!)).toBe(true);
    expect(await revoker.isLeaseGone(minted.vaultLeaseId!)).toBe(false);
    expect(await findLease(ledger.database, lease.ref)).toMatchObject({ state: 'active' });
  });

  test('a certificate that has no lease any more is put on the revocation list; those with one, and the authority, are not', async () => {
    const known = await live(CATALOGUE.certificate);
    const token = await tokenFor(newGrantId(), CATALOGUE.certificate);
    const lost = await issuer.mint({ leaseRef: newLeaseRef(), capability: CATALOGUE.certificate, ttlSeconds: 600, token: token.token });
    const own = certificates(on, CATALOGUE.certificate, new OrphanWatch(60));
    await walk(on, own);
    clock.advance(60_000);
    await walk(on, own);
    expect(await revoker.isCertificateRevoked('pki', lost.principal!)).toBe(true);
    expect(await revoker.isCertificateRevoked('pki', known.minted.principal!)).toBe(false);
    const again = await issuer.mint({
      leaseRef: newLeaseRef(),
      capability: CATALOGUE.certificate,
      ttlSeconds: 600,
      token: known.token.token,
    });
    expect(again.principal).toBeDefined();
  });
});

describe('what the ledger says lives and Vault does not have', () => {
  test('a token that somebody ended in Vault ends its task, which is said', async () => {
    const [gone, known] = [await live(), await live()];
    await revoker.revokeToken(gone.token.accessor);
    await walks.round();
    expect(await findGrant(ledger.database, gone.grant.id)).toMatchObject({ state: 'closing', endCause: 'operator' });
    expect(await findGrant(ledger.database, known.grant.id)).toMatchObject({ state: 'granted' });
    expect((await facts(gone.grant.taskId, GONE)).map(({ data }) => data['what'])).toContain('task token');
  });

  test('a lease that somebody ended in Vault is ended, and its task goes on', async () => {
    const { grant, lease, minted } = await live();
    await revoker.revokeLease(minted.vaultLeaseId!);
    await walks.round();
    expect(await findLease(ledger.database, lease.ref)).toMatchObject({ state: 'revoking', cause: 'operator' });
    expect(await findGrant(ledger.database, grant.id)).toMatchObject({ state: 'granted' });
    expect(await facts(grant.taskId, GONE)).toMatchObject([{ data: { what: 'lease', leaseRef: lease.ref } }]);
  });
});

describe('what came of every mint', () => {
  test('is settled up to the start of the last walk that found nothing unexplained', async () => {
    expect(walks.settledUntil(CATALOGUE.read)).toBeUndefined();
    await reconciled();
    await walks.round();
    expect(walks.settledUntil(CATALOGUE.read)).toEqual(clock.now());
    const { token } = await live();
    clock.advance(1_000);
    const lostAt = clock.now();
    await issuer.mint({ leaseRef: newLeaseRef(), capability: CATALOGUE.read, ttlSeconds: 600, token: token.token });
    await walks.round();
    clock.advance(59_000);
    await walks.round();
    expect(walks.settledUntil(CATALOGUE.read)).toEqual(lostAt);
    clock.advance(1_000);
    await walks.round();
    await walks.round();
    expect(walks.settledUntil(CATALOGUE.read)).toEqual(clock.now());
  });
});

describe('while nothing was written in Vault and in the ledger', () => {
  const lists = () => {
    const { inventory } = on;
    let count = 0;
    const tokens = () => ((count += 1), inventory.tokens());
    const grantOfToken = (accessor: string) => inventory.grantOfToken(accessor);
    const watched = { tokens, grantOfToken } as unknown as typeof inventory;
    const counted = walksOfVault({ ...on, inventory: watched }, async () => NOTHING, 60);
    /** Until it rests: what is unexplained is looked at until it is over. */
    const rest = async () => {
      for (let before = -1; before !== count;) {
        before = count;
        clock.advance(60_000);
        await counted.round();
      }
    };
    return { counted, rest, count: () => count };
  };
  const NOTHING: readonly Capability[] = [];

  test('nothing is listed again; a token that comes to be is seen at the next walk, and ended in time', async () => {
    const { counted, rest, count } = lists();
    await rest();
    const listed = count();
    await counted.round();
    expect(count()).toBe(listed);
    const lost = await tokenFor(newGrantId());
    await counted.round();
    expect(count()).toBe(listed + 1);
    clock.advance(60_000);
    await counted.round();
    expect(await revoker.isTokenGone(lost.accessor)).toBe(true);
  });

  test('the ledger alone may change, and is compared again', async () => {
    const { grant, token } = await live();
    const { counted, rest } = lists();
    await rest();
    await ledger.database.transaction('test', async (tx) => {
      await transitionGrant(tx, grant.id, 'granted', 'closing');
      await transitionGrant(tx, grant.id, 'closing', 'closed');
      await tx.run('', 'select pg_stat_force_next_flush()');
    });
    await counted.round();
    clock.advance(60_000);
    await counted.round();
    expect(await revoker.isTokenGone(token.accessor)).toBe(true);
  });

  test('what came of every mint is settled up to now all the same', async () => {
    const catalogue = [CATALOGUE.read];
    const resting = walksOfVault(on, async () => catalogue, 60);
    for (let round = 0; round < 4; round += 1) {
      clock.advance(60_000);
      await resting.round();
      expect(resting.settledUntil(CATALOGUE.read)).toBeDefined();
    }
    clock.advance(1_000);
    await resting.round();
    expect(resting.settledUntil(CATALOGUE.read)).toEqual(clock.now());
  });
});

test('without the right to list nothing is ended, and nothing is called settled', async () => {
  const { grant } = await live();
  const blind = walksOfVault({ ...on, inventory: vaultForReconciler(as('delivery')) }, async () => Object.values(CATALOGUE), 0);
  await expect(blind.round()).rejects.toMatchObject({ code: 'inventory-refused' });
  expect(blind.settledUntil(CATALOGUE.read)).toBeUndefined();
  expect(await findGrant(ledger.database, grant.id)).toMatchObject({ state: 'granted' });
});

test('leases that Vault has given up on are counted', async () => {
  expect(await on.inventory.irrevocableLeases()).toBe(0);
});
