import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { currentTrace, recordSpans, withSpan } from '@mayfly/telemetry';
import {
  credentialsOf,
  findGrantByTask,
  findWholeGrants,
  leasesOf,
  narrowToken,
  readTaskEntries,
  type Database,
  type Sql,
} from '@mayfly/store';
import type { TaskStartedMessage } from '@mayfly/task-events';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { ended, issuerOn, once, started } from './world.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());

/** The ledger, with a count of the transactions that admit. */
function counting() {
  const admissions = { count: 0 };
  const transaction: Database['transaction'] = (summary, work) => {
    if (summary === 'admit task') admissions.count += 1;
    return ledger.database.transaction(summary, work);
  };
  return { admissions, database: { ...ledger.database, transaction } };
}
const grantOf = async (message: TaskStartedMessage) => findGrantByTask(ledger.database, message.task.taskId);
const credentials = [{ name: 'orders', capability: 'orders-db.read' }];

/** The ledger, with a count of its statements by name. */
function watching() {
  const statements = new Map<string, number>();
  const seen = (sql: Sql): Sql => ({
    run: (name, text, values) => {
      statements.set(name, (statements.get(name) ?? 0) + 1);
      return sql.run(name, text, values);
    },
  });
  const transaction: Database['transaction'] = (summary, work) => ledger.database.transaction(summary, (tx) => work(seen(tx)));
  return { statements, database: { ...ledger.database, ...seen(ledger.database), transaction } };
}

/** Only its token is made at its start. */
const REPORTS = {
  agent: { id: 'spiffe://example.org/agent/reporter' },
  workflow: { name: 'reporting' },
  intent: { purpose: 'test', dataClass: 'internal', plan: [] },
  credentials: [{ name: 'reports', capability: 'reports.kv' }],
};

describe('what was just admitted', () => {
  test('has one version of its row for its start and one for its token, and nothing is read or held anew', async () => {
    const { statements, database } = watching();
    const { issuing } = issuerOn(database);
    const message = started({ ...REPORTS });
    expect(await issuing.onTaskStarted(message)).toBeUndefined();
    const grant = (await grantOf(message))!;
    expect(grant).toMatchObject({ state: 'granted', tokenCapabilities: ['reports.kv'] });
    expect((await findWholeGrants(ledger.database, [grant.id])).get(grant.id)!.beingMinted).toBe(false);
    for (const name of ['grant.insert_all', 'grant.keep_tokens']) expect(statements.get(name)).toBe(1);
    for (const name of ['mint_at.renew', 'mint_at.settle_all', 'credential.of_grants', 'lease.of_grants'])
      expect(statements.has(name)).toBe(false);
  });

  test('is held and read anew when it has waited for long', async () => {
    const { statements, database } = watching();
    const { clock, issuing } = issuerOn(database);
    const message = started({ ...REPORTS });
    await issuing.onTaskStarted(message, (claim) => {
      clock.advance(6_000);
      return issuing.mint(claim);
    });
    expect(await grantOf(message)).toMatchObject({ tokenCapabilities: ['reports.kv'] });
    for (const name of ['mint_at.renew', 'lease.of_grants']) expect(statements.get(name)).toBe(1);
  });

  test('keeps its claim when more was asked for while its token was made', async () => {
    const { issuing, vault, database } = issuerOn(ledger.database);
    const message = started({ ...REPORTS });
    once(vault, 'create', async (real) => {
      const { id } = (await grantOf(message))!;
      await database.transaction('narrow', (tx) => narrowToken(tx, id, ['reports.kv'], AT));
      return real();
    });
    expect(await issuing.onTaskStarted(message)).toBeUndefined();
    const grant = (await grantOf(message))!;
    expect((await findWholeGrants(ledger.database, [grant.id])).get(grant.id)!.beingMinted).toBe(true);
    await issuing.mintDue();
    expect(await grantOf(message)).toMatchObject({ tokenCapabilities: [] });
  });
});

describe('starts that come at the same moment', () => {
  test('share one transaction, and each gets what it would have got alone', async () => {
    const { admissions, database } = counting();
    const { issuing, vault } = issuerOn(database);
    const denied = started({ credentials: [{ name: 'owner', capability: 'orders-db.owner' }] });
    const mixed = started({ credentials: [...credentials, { name: 'owner', capability: 'orders-db.owner' }] });
    const plain = Array.from({ length: 10 }, () => started({ credentials }));
    await Promise.all([denied, mixed, ...plain].map((message) => issuing.onTaskStarted(message)));
    expect(admissions.count).toBe(1);
    expect(vault.counts).toEqual({ created: 11, minted: 11 });
    expect(await grantOf(denied)).toMatchObject({ state: 'denied' });
    const grant = (await grantOf(mixed))!;
    expect((await credentialsOf(ledger.database, grant.id)).map(({ name, permitted }) => [name, permitted])).toEqual([
      ['orders', true],
      ['owner', false],
    ]);
    for (const message of plain) {
      const { id, state } = (await grantOf(message))!;
      expect([state, (await leasesOf(ledger.database, id)).map((lease) => lease.state)]).toEqual(['granted', ['active']]);
      expect((await readTaskEntries(ledger.database, message.task.taskId)).map(({ kind }) => kind.split('.').at(-2))).toEqual([
        'task-requested',
        'issued',
        'mint-intended',
        'issued',
      ]);
    }
  });

  test('one that must be parked is parked alone, and nothing of it is written', async () => {
    const { admissions, database } = counting();
    const { issuing } = issuerOn(database);
    const over = started();
    await issuing.onTaskEnded(ended(over.task.taskId));
    const strange = started({}, { source: 'urn:mallory' });
    const good = started({ credentials });
    const outcomes = await Promise.allSettled([over, strange, good].map((message) => issuing.onTaskStarted(message)));
    expect(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { reason: string }).reason : outcome.value)),
    ).toEqual(['task-ended', 'unregistered-source', undefined]);
    expect(admissions.count).toBe(1);
    expect(await grantOf(strange)).toBeUndefined();
    expect(await grantOf(good)).toMatchObject({ state: 'granted' });
  });

  test('a task twice, an event twice, and a sub-task beside its parent come out as if one had come after the other', async () => {
    const { issuing, vault } = issuerOn(ledger.database);
    const parent = started({ credentials });
    const child = started({ credentials, parentTaskId: parent.task.taskId });
    const again = { ...parent, envelope: { ...parent.envelope, id: 'once more' } };
    const other = started({ credentials, taskId: parent.task.taskId, risk: 1 });
    const impostor = started({}, { id: parent.envelope.id });
    const outcomes = await Promise.allSettled([child, parent, again, other, impostor].map((message) => issuing.onTaskStarted(message)));
    expect(
      outcomes.map((outcome) =>
        outcome.status === 'rejected' ? ((outcome.reason as { reason?: string }).reason ?? outcome.reason) : 'done',
      ),
    ).toEqual(['done', 'done', 'done', 'task-conflict', 'event-conflict']);
    expect(vault.counts.created).toBeGreaterThanOrEqual(1);
    expect(await grantOf(child)).toMatchObject({ state: 'granted', parentGrantId: (await grantOf(parent))!.id, delegationDepth: 1 });
  });

  test('when they cannot be written together, each is by itself', async () => {
    const real = ledger.database;
    let first = true;
    const transaction: Database['transaction'] = (summary, work) => {
      if (summary !== 'admit task' || !first) return real.transaction(summary, work);
      first = false;
      return real.transaction(summary, async (tx) => {
        await work(tx);
        throw new Error('the first round fails');
      });
    };
    const { issuing } = issuerOn({ ...real, transaction });
    const messages = [started({ credentials }), started({ credentials })];
    await Promise.all(messages.map((message) => issuing.onTaskStarted(message)));
    for (const message of messages) expect(await grantOf(message)).toMatchObject({ state: 'granted' });
  });

  test('each one’s evidence continues its own trace', async () => {
    const recording = recordSpans();
    const { issuing } = issuerOn(ledger.database);
    const traces = new Map<string, string | undefined>();
    const messages = [started({ credentials }), started({ credentials })];
    await Promise.all(
      messages.map((message) =>
        withSpan('test', { root: true }, () => {
          traces.set(message.task.taskId, currentTrace()?.traceparent);
          return issuing.onTaskStarted(message);
        }),
      ),
    );
    await recording.stop();
    expect(new Set(traces.values()).size).toBe(2);
    const rows = await ledger.database.run<{ task: string; traceparent: string | null }>(
      '',
      `select fact ->> 'taskId' as task, traceparent from evidence.intake where fact ->> 'kind' like '%task-requested%' and fact ->> 'taskId' = any($1)`,
      [[...traces.keys()]],
    );
    expect(new Map(rows.map(({ task, traceparent }) => [task, traceparent ?? undefined]))).toEqual(traces);
  });
});
