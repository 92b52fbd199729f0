import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newOrderId } from '@mayfly/domain';
import type { Selector } from '@mayfly/grant';
import { credentialsOf, findGrantByTask, insertOrder, leasesOf, orderEnded, readTaskEntries } from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { issuerOn, started } from './world.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(() => ledger.database.run('', 'truncate ledger.revocation_order cascade'));

async function order(selector: Selector) {
  const id = newOrderId();
  await ledger.database.transaction('test', (tx) => insertOrder(tx, { id, selector, reason: 'r', operator: 'o', orderedAt: AT }));
  return id;
}
async function start() {
  const message = started({ initiator: { id: 'alice', kind: 'human' } });
  await issuerOn(ledger.database).issuing.onTaskStarted(message);
  return (await findGrantByTask(ledger.database, message.task.taskId))!;
}

test.each<[Selector['field'], string]>([
  ['agent', 'spiffe://example.org/agent/etl'],
  ['initiator', 'alice'],
  ['capability', 'orders-db.read'],
  ['workflow', 'nightly-etl'],
  ['tenant', 'default'],
])('while a kill switch by %s is carried out, no start that it means is let in; it says why', async (field, value) => {
  await order({ field, value });
  const grant = await start();
  expect(grant.state).toBe('denied');
  expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({ permitted: false, reasons: ['revocation-ordered'] });
  expect(await leasesOf(ledger.database, grant.id)).toEqual([]);
  const said = (await readTaskEntries(ledger.database, grant.taskId)).find(({ kind }) => kind === 'dev.mayfly.grant.denied.v1');
  expect(said?.data).toMatchObject({ reason: 'revocation-ordered' });
});

test('others start as ever, and so do all once it is carried out', async () => {
  const id = await order({ field: 'agent', value: 'spiffe://example.org/agent/other' });
  expect((await start()).state).toBe('granted');
  const mine = await order({ field: 'workflow', value: 'nightly-etl' });
  expect((await start()).state).toBe('denied');
  for (const each of [id, mine]) await orderEnded(ledger.database, each, AT);
  expect((await start()).state).toBe('granted');
});
