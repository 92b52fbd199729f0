/** Whoever may write to the ledger's tables can change the log, but not unseen. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { append, hashOf, verifyChain, type EvidenceRecord, type Flaw, type Head } from '@mayfly/evidence-log';
import { readHead, readLog, stateFact, type Sql } from '@mayfly/store';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { chainPage } from '../src/flow.js';

let ledger: Ledger;
let known: Head;
beforeAll(async () => {
  ledger = await startLedger();
  for (let number = 0; number < 12; number += 1)
    await stateFact(ledger.database, { kind: 'k', at: AT.toISOString(), taskId: `t${number % 3}`, by: 'issuer', data: { number } });
  await chainPage({ database: ledger.database, clock: new ManualClock(AT) });
  known = (await readHead(ledger.database))!;
}, 60_000);
afterAll(() => ledger?.stop());

class Undo extends Error {}
/** What a verifier finds after the tables were changed; they are as before when it is over. */
async function flawAfter(tamper: (tx: Sql) => Promise<unknown>, head: Head | undefined = known): Promise<Flaw | undefined> {
  let flaw: Flaw | undefined;
  await ledger.database
    .transaction('tamper', async (tx) => {
      await tamper(tx);
      flaw = verifyChain(await readLog(tx, 0, 1000), head);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  return flaw;
}
const sql = (statement: string) => (tx: Sql) => tx.run('', statement);
/** Writes records in place of those from an index on. */
const replaced = (from: number, make: (log: readonly EvidenceRecord[]) => readonly EvidenceRecord[]) => async (tx: Sql) => {
  const records = make(await readLog(tx, 0, 1000));
  await tx.run('', 'delete from evidence.log where index >= $1', [from]);
  for (const { index, kind, at, taskId, by, data, previousHash, hash } of records.slice(from))
    await tx.run(
      '',
      'insert into evidence.log (index, kind, at, task_id, by, data, previous_hash, hash) values ($1, $2, $3, $4, $5, $6, $7, $8)',
      [index, kind, at, taskId, by, JSON.stringify(data), previousHash, hash],
    );
};
const factOf = ({ index: _i, previousHash: _p, hash: _h, ...fact }: EvidenceRecord) => fact;
const rebuilt = (facts: readonly ReturnType<typeof factOf>[]): EvidenceRecord[] =>
  facts.reduce<EvidenceRecord[]>((log, fact) => [...log, append(log.at(-1), fact)], []);

test('the log that nobody touched verifies', async () => {
  expect(known.size).toBe(12);
  expect(await flawAfter(async () => undefined)).toBeUndefined();
});

test.each<[string, (tx: Sql) => Promise<unknown>, Flaw]>([
  ['a row altered', sql(`update evidence.log set data = '{"number": 99}' where index = 5`), { index: 5, problem: 'content-changed' }],
  [
    'a row given to another task',
    sql(`update evidence.log set task_id = 'mine' where index = 5`),
    { index: 5, problem: 'content-changed' },
  ],
  [
    'a row altered, its hash put right',
    replaced(0, (log) => {
      const { hash: _, ...content } = { ...log[5]!, by: 'eve' };
      return log.with(5, { ...content, hash: hashOf(content) });
    }),
    { index: 6, problem: 'chain-broken' },
  ],
  [
    'two rows swapped',
    sql(`update evidence.log set index = case index when 4 then 107 else 104 end where index in (4, 7);
    update evidence.log set index = index - 100 where index > 100`),
    { index: 4, problem: 'chain-broken' },
  ],
  ['a row dropped', sql('delete from evidence.log where index = 5'), { index: 5, problem: 'index-gap' }],
  [
    'a row dropped, the rest moved up',
    sql('delete from evidence.log where index = 5; update evidence.log set index = index - 1 where index > 5'),
    { index: 5, problem: 'chain-broken' },
  ],
  [
    'a row inserted',
    replaced(0, (log) =>
      log.toSpliced(5, 0, append(log[4], { ...factOf(log[4]!), by: 'eve' })).map((record, index) => ({ ...record, index })),
    ),
    { index: 6, problem: 'chain-broken' },
  ],
  ['the end cut off', sql('delete from evidence.log where index >= 9'), { index: 9, problem: 'shortened' }],
  [
    'everything made again with one row altered',
    replaced(0, (log) => rebuilt(log.map((record, at) => ({ ...factOf(record), ...(at === 5 && { by: 'eve' }) })))),
    { index: 11, problem: 'head-differs' },
  ],
  [
    'everything made again with one row less',
    replaced(0, (log) => rebuilt(log.map(factOf).toSpliced(5, 1))),
    { index: 11, problem: 'shortened' },
  ],
  ['the database rolled back', sql('delete from evidence.log where index >= 3'), { index: 3, problem: 'shortened' }],
  ['all of it gone', sql('delete from evidence.log'), { index: 0, problem: 'shortened' }],
])('[bad 77] %s is found, with its place', async (_, tamper, flaw) => {
  expect(await flawAfter(tamper)).toEqual(flaw);
});

test('[bad 77] an older head that is shown again hides nothing that is still there, and finds what is changed below it', async () => {
  const log = await readLog(ledger.database, 0, 1000);
  const older = { size: 6, hash: log[5]!.hash };
  expect(await flawAfter(async () => undefined, older)).toBeUndefined();
  const another = replaced(0, (was) => rebuilt(was.map((record, at) => ({ ...factOf(record), ...(at === 2 && { by: 'eve' }) }))));
  expect(await flawAfter(another, older)).toEqual({ index: 5, problem: 'head-differs' });
});

test('[bad 77] of two heads of one size only one can be the log’s', async () => {
  expect(await flawAfter(async () => undefined, { size: known.size, hash: 'f'.repeat(64) })).toEqual({
    index: 11,
    problem: 'head-differs',
  });
});
