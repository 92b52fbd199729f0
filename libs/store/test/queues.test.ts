import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { plusSeconds } from '@mayfly/domain';
import { LANES } from '@mayfly/revocation';
import { claimOldestRevocations, claimRevocations, queueRevocations, settleRevocation, type Claimed } from '../src/index.js';
import { AT, granted, startLedger, type Ledger } from './ledger.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
}, 120_000);
afterAll(() => ledger?.stop());
beforeEach(() => ledger.database.run('', 'update ledger.task_grant set revoke_at = null'));

const later = (seconds: number): Date => plusSeconds(AT, seconds);
const tenantsOf = (claims: readonly Claimed[]): string[] => claims.map(({ grant }) => grant.tenant).sort();
/** Queues so many grants of a tenant, the first one at AT, each a second after the one before. */
async function queued(tenant: string, count: number, cause: Parameters<typeof queueRevocations>[3] = 'task_ended'): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const { grant } = await granted(ledger.database, { tenant });
    await queueRevocations(ledger.database, [grant.id], later(i), cause);
    ids.push(grant.id);
  }
  return ids;
}

test('the lanes in SQL are the lanes of the rule', async () => {
  const rows = await ledger.database.run<{ name: string }>('', 'select name from ledger.revocation_lane order by lane');
  expect(rows.map(({ name }) => name)).toEqual([...LANES]);
});

test('lanes are served in order, whatever was queued first', async () => {
  for (const [at, cause] of (['expired', 'task_ended', 'policy_drift', 'operator'] as const).entries()) {
    const { grant } = await granted(ledger.database);
    await queueRevocations(ledger.database, [grant.id], later(at), cause);
  }
  const order: (number | undefined)[] = [];
  for (let i = 0; i < 4; i += 1) {
    const [claim] = await claimRevocations(ledger.database, later(10), 1_000, 1);
    const [row] = await ledger.database.run<{ lane: number }>('', 'select revoke_lane as lane from ledger.task_grant where id = $1', [
      claim?.grant.id,
    ]);
    order.push(row?.lane);
  }
  expect(order).toEqual([0, 1, 2, 3]);
});

test('a grant keeps the first lane that asked for it, until nothing is left', async () => {
  const { grant } = await granted(ledger.database);
  const lane = async () =>
    (await ledger.database.run<{ lane: number }>('', 'select revoke_lane as lane from ledger.task_grant where id = $1', [grant.id]))[0]
      ?.lane;
  await queueRevocations(ledger.database, [grant.id], AT, 'operator');
  await queueRevocations(ledger.database, [grant.id], AT, 'expired');
  expect(await lane()).toBe(0);
  const [claim] = await claimRevocations(ledger.database, AT, 30, 10);
  await settleRevocation(ledger.database, claim!, null);
  await queueRevocations(ledger.database, [grant.id], AT, 'expired');
  expect(await lane()).toBe(3);
});

test('tenants take turns: a storm of one leaves the other its place in the very next claim', async () => {
  await queued('stormy', 30);
  await queued('calm', 2);
  const claims = await claimRevocations(ledger.database, later(60), 1_000, 4);
  expect(tenantsOf(claims)).toEqual(['calm', 'calm', 'stormy', 'stormy']);
  // Alone, the storm has all places.
  expect(tenantsOf(await claimRevocations(ledger.database, later(60), 1_000, 4))).toEqual(['stormy', 'stormy', 'stormy', 'stormy']);
});

test('by age, whoever has waited longest comes first, whatever its lane', async () => {
  const [eldest] = await queued('a', 1, 'expired');
  const { grant } = await granted(ledger.database);
  await queueRevocations(ledger.database, [grant.id], later(5), 'operator');
  const claims = await claimOldestRevocations(ledger.database, later(10), 1_000, 1);
  expect(claims.map((claim) => claim.grant.id)).toEqual([eldest]);
});

test('nothing is claimed twice, nor before it is due', async () => {
  const ids = await queued('a', 20);
  const taken = await Promise.all([1, 2, 3, 4].map(() => claimRevocations(ledger.database, later(9), 1_000, 4)));
  const claimed = taken.flat().map(({ grant }) => grant.id as string);
  expect(new Set(claimed).size).toBe(claimed.length);
  while ((await claimRevocations(ledger.database, later(9), 1_000, 4)).length > 0);
  const [left] = await ledger.database.run<{ count: number }>(
    '',
    'select count(*)::int as count from ledger.task_grant where id = any($1) and revoke_at <= $2',
    [ids, later(100)],
  );
  expect(left?.count).toBe(10);
});

test('with 100,000 queued a claim reads indexes only, and little of them', async () => {
  for (let from = 1; from <= 100_000; from += 10_000) {
    await ledger.database.run(
      '',
      `insert into ledger.task_grant (id, task_id, tenant, source, state, prior_state, opened_at, revoke_at, revoke_lane)
       select 'bulk' || i, 'bulk' || i, 'tenant-' || (i % 5), 's', 'closed', 'none', $1, $1, i % 4 from generate_series($2::int, $2::int + 9999) as i`,
      [AT, from],
    );
  }
  await ledger.database.run('', 'analyze ledger.task_grant');
  const texts: string[] = [];
  const watching = {
    run: async <R extends object>(_name: string, text: string, values?: readonly unknown[]): Promise<R[]> => {
      const plan = await ledger.database.run<{ 'QUERY PLAN': string }>('', `explain (analyze, buffers) ${text}`, values);
      texts.push(plan.map((line) => line['QUERY PLAN']).join('\n'));
      return [];
    },
  };
  await claimRevocations(watching, later(1), 30, 16);
  await claimOldestRevocations(watching, later(1), 30, 16);
  for (const plan of texts) {
    expect(plan).not.toMatch(/Seq Scan on task_grant/);
    // A page has 8 KiB; the table has some four thousand.
    expect(Number(/shared (?:hit=(\d+))/.exec(plan)?.[1])).toBeLessThan(3_000);
  }
}, 120_000);
