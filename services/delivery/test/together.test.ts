import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TaskId } from '@mayfly/domain';
import { credentialsOf, findGrantByTask, leasesOf, lockGrantByTask, readTaskEntries, type Database } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { AGENT, deliveryOn, OTHER_AGENT, ready } from './world.js';

let ledger: Ledger;
let world: ReturnType<typeof deliveryOn>;
const counts = new Map<string, number>();

beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await applyExample(ledger.database);
  counts.clear();
  const transaction: Database['transaction'] = (summary, work) => {
    counts.set(summary, (counts.get(summary) ?? 0) + 1);
    return ledger.database.transaction(summary, work);
  };
  world = deliveryOn({ ...ledger.database, transaction });
});
afterEach(() => world.close());

const ON_FETCH = { mint: 'on-fetch' } as const;
const fetchOne = (id: TaskId, agent = AGENT) => world.delivering.fetch(id, 'orders', agent, 0);
const grantOf = async (id: TaskId) => (await findGrantByTask(ledger.database, id))!;
const delivered = async (id: TaskId) =>
  (await readTaskEntries(ledger.database, id)).filter(({ kind }) => kind === 'dev.mayfly.credential.delivered.v1').length;

describe('fetches that come at the same moment', () => {
  test('share transactions, and each gets its own', async () => {
    const tasks = [];
    for (let made = 0; made < 8; made += 1) tasks.push(await ready(world, {}, made % 2 === 0 ? ON_FETCH : {}));
    counts.clear();
    const secrets = await Promise.all(tasks.map(({ grant }) => fetchOne(grant.taskId)));
    expect(counts.get('reserve lease')).toBe(1);
    expect(counts.get('deliver')!).toBeLessThanOrEqual(4);
    // What was minted is written down with its delivery, not before.
    expect([...counts.keys()].sort()).toEqual(['deliver', 'reserve lease']);
    expect(new Set(secrets.map(({ data }) => data.username)).size).toBe(8);
    for (const [place, { grant }] of tasks.entries()) {
      expect(String(secrets[place]!.data.username)).toContain(grant.id);
      expect(await delivered(grant.taskId)).toBe(1);
      expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({ fetches: 1 });
      expect((await leasesOf(ledger.database, grant.id)).filter(({ state }) => state === 'active')).toMatchObject([
        { ref: secrets[place]!.leaseRef },
      ]);
    }
  });

  test('what is refused is refused alone, and nothing is written for it', async () => {
    const good = await ready(world);
    const foreign = await ready(world);
    const used = await ready(world, {}, { maxFetches: 1 });
    await fetchOne(used.grant.taskId);
    const outcomes = await Promise.allSettled([
      fetchOne(good.grant.taskId),
      fetchOne(foreign.grant.taskId, OTHER_AGENT),
      fetchOne(used.grant.taskId),
    ]);
    expect(outcomes.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : 'done'))).toEqual([
      'done',
      'task-not-found',
      'fetch-limit',
    ]);
    expect((await credentialsOf(ledger.database, foreign.grant.id))[0]).toMatchObject({ fetches: 0 });
    expect((await credentialsOf(ledger.database, used.grant.id))[0]).toMatchObject({ fetches: 1 });
    expect(await delivered(used.grant.taskId)).toBe(1);
  });

  test('of one task they come one after the other: the second is counted, and never a second live copy', async () => {
    const { grant } = await ready(world);
    const outcomes = await Promise.allSettled([fetchOne(grant.taskId), fetchOne(grant.taskId), fetchOne(grant.taskId)]);
    const secrets = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value.leaseRef] : []));
    expect(secrets.length).toBeGreaterThanOrEqual(1);
    expect(new Set(secrets).size).toBe(secrets.length);
    const live = (await leasesOf(ledger.database, grant.id)).filter(({ state }) => state === 'active' || state === 'minting');
    expect(live.length).toBeLessThanOrEqual(1);
  });

  test('one whose grant somebody else holds waits alone', async () => {
    const [held, free] = [await ready(world), await ready(world)];
    let letGo: () => void = () => undefined;
    const holding = new Promise<void>((done) => (letGo = done));
    let isHeld: () => void = () => undefined;
    const locked = new Promise<void>((done) => (isHeld = done));
    const holder = ledger.database.transaction('test', async (tx) => {
      await lockGrantByTask(tx, held.grant.taskId);
      isHeld();
      await holding;
    });
    await locked;
    let waited = true;
    const waits = fetchOne(held.grant.taskId).then((secret) => ((waited = false), secret));
    expect(await fetchOne(free.grant.taskId)).toMatchObject({ taskId: free.grant.taskId });
    const again = await ready(world);
    expect(await fetchOne(again.grant.taskId)).toMatchObject({ taskId: again.grant.taskId });
    expect(waited).toBe(true);
    letGo();
    await holder;
    expect(await waits).toMatchObject({ taskId: held.grant.taskId });
    expect(await grantOf(held.grant.taskId)).toMatchObject({ state: 'granted' });
  });
});
