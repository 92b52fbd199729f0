import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ManualClock, type OutEvent } from '@mayfly/domain';
import { verifyChain, type EvidenceRecord } from '@mayfly/evidence-log';
import { openDatabase, readLog, stateFact, type Database } from '@mayfly/store';
import { serve } from '../../../libs/http/test/serve.js';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { chainPage } from '../src/flow.js';

let ledger: Ledger;
const clock = new ManualClock(AT);
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(() => drain(ledger.database));

const drain = async (database: Database): Promise<void> => {
  while ((await chainPage({ database, clock })) > 0);
};
let facts = 0;
const state = (taskId?: string): Promise<void> =>
  stateFact(ledger.database, {
    kind: 'dev.mayfly.evidence.test.v1',
    at: AT.toISOString(),
    ...(taskId && { taskId, tenant: 'default' }),
    by: 'issuer',
    data: { number: (facts += 1) },
  });
const log = () => readLog(ledger.database, 0, 10_000);
const outbox = async (): Promise<OutEvent[]> =>
  (await ledger.database.run<{ event: OutEvent }>('', `select event from ledger.outbox where owner = 'evidence' order by id`)).map(
    ({ event }) => event,
  );

test('a stated fact goes to the end of the log in the order in which it was stated, and the intake is empty', async () => {
  const before = (await log()).length;
  for (const id of ['a', 'b', undefined]) await state(id);
  expect(await chainPage({ database: ledger.database, clock })).toBe(3);
  expect(await chainPage({ database: ledger.database, clock })).toBe(0);
  const records = await log();
  expect(records.slice(before).map(({ index, taskId }) => [index, taskId])).toEqual([
    [before, 'a'],
    [before + 1, 'b'],
    [before + 2, undefined],
  ]);
  expect(verifyChain(records)).toBeUndefined();
  expect(await ledger.database.run('', 'select 1 from evidence.intake')).toEqual([]);
});

test('every record is announced as it stands in the log, under its task’s key, in order', async () => {
  await state('keyed');
  await state();
  await drain(ledger.database);
  const [events, records] = [await outbox(), await log()];
  expect(events.map(({ data }) => data as unknown as EvidenceRecord)).toEqual(records);
  expect(verifyChain(events.map(({ data }) => data as unknown as EvidenceRecord))).toBeUndefined();
  expect(events.slice(-2).map(({ key, type, topic }) => [key, type, topic])).toEqual([
    ['keyed', 'dev.mayfly.evidence.record.v1', 'evidence'],
    ['mayfly', 'dev.mayfly.evidence.record.v1', 'evidence'],
  ]);
});

test('more than a page is moved page by page, by two writers at once, without a gap or a double', async () => {
  const before = (await log()).length;
  await ledger.database.transaction('test', async (tx) => {
    for (let number = 0; number < 450; number += 1)
      await stateFact(tx, { kind: 'k', at: AT.toISOString(), by: 'issuer', data: { number } });
  });
  const second = openDatabase({ url: ledger.url, applicationName: 'replica' });
  try {
    await Promise.all([drain(ledger.database), drain(second), drain(ledger.database)]);
    await drain(second);
    const records = await log();
    expect(verifyChain(records)).toBeUndefined();
    expect(records.slice(before).map(({ data }) => data['number'])).toEqual(Array.from({ length: 450 }, (_, number) => number));
  } finally {
    await second.close();
  }
});

test('what is not announced is not chained: both happen, or neither', async () => {
  await state('whole');
  const before = await log();
  const failing: Database = {
    ...ledger.database,
    transaction: (summary, work) =>
      ledger.database.transaction(summary, (tx) =>
        work({
          run: async (name, text, values) => {
            if (name === 'outbox.put') throw new TypeError('the disk is full');
            return tx.run(name, text, values);
          },
        }),
      ),
  };
  await expect(chainPage({ database: failing, clock })).rejects.toThrow('the disk is full');
  expect(await log()).toEqual(before);
  expect(await chainPage({ database: ledger.database, clock })).toBe(1);
});

test('the service has no routes but those that every service has', async () => {
  const served = await serve({
    health: {
      liveness: { chainer: () => ({ alive: true, progressMillisecondsAgo: 0 }) },
      readiness: { ledger: () => ledger.database.ping() },
    },
  });
  try {
    for (const path of ['healthz', 'readyz', 'metrics']) expect((await fetch(`${served.url}/${path}`)).status).toBe(200);
    expect((await fetch(`${served.url}/v1/evidence`)).status).toBe(404);
  } finally {
    await served.close();
  }
});
