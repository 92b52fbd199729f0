import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newGrantId, plusSeconds, taskId, type TaskStart } from '@mayfly/domain';
import { credentialsOf, findGrantByTask, insertGrant, leasesOf, noteVaultDigest, openDatabase, readTaskEntries } from '@mayfly/store';
import type { TaskStartedMessage } from '@mayfly/task-events';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { ended, issuerOn, SOURCE, started } from './world.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());

const kindsOf = async (id: string): Promise<string[]> => (await readTaskEntries(ledger.database, id)).map(({ kind }) => kind);
const grantOf = (id: string) => findGrantByTask(ledger.database, id);
/** What a permitted `orders-db.read` and a few refusals look like. */
const credentials = [
  { name: 'orders', capability: 'orders-db.read', ttlSeconds: 60 },
  { name: 'owner', capability: 'orders-db.owner' },
  { name: 'nothing', capability: 'no-such.thing' },
];

test('without a policy set nothing is decided, nothing is written, and it is tried again', async () => {
  const { issuing } = issuerOn(ledger.database);
  const message = started();
  await expect(issuing.onTaskStarted(message)).rejects.toMatchObject({ code: 'policy-unavailable', retriable: true });
  expect(await grantOf(message.task.taskId)).toBeUndefined();
  await applyExample(ledger.database);
  expect(await issuing.onTaskStarted(message)).toBeUndefined();
  expect(await grantOf(message.task.taskId)).toMatchObject({ state: 'granted' });
});

test('what is in Vault not what the catalogue declares is denied before anything is minted, and so is what was decided before', async () => {
  const { issuing, vault, policies, clock } = issuerOn(ledger.database);
  const capability = (await policies.get(ledger.database)).set.capability('orders-db.read')!;
  const find = (found: string) => ledger.database.transaction('test', (tx) => noteVaultDigest(tx, { capability, found, at: clock.now() }));
  const decided = started({ credentials });
  vault.down = true;
  expect(await issuing.onTaskStarted(decided)).toMatchObject({ code: 'vault-unavailable' });
  vault.down = false;
  await find(`sha256:${'0'.repeat(64)}`);
  try {
    clock.advance(15_000);
    await issuing.mintDue();
    const [lease] = await leasesOf(ledger.database, (await grantOf(decided.task.taskId))!.id);
    expect(lease).toMatchObject({ state: 'failed', lastProblem: 'vault-drift' });

    const message = started({ credentials });
    await issuing.onTaskStarted(message);
    const grant = (await grantOf(message.task.taskId))!;
    expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({
      name: 'orders',
      permitted: false,
      reasons: ['vault-drift'],
    });
    expect(vault.counts.minted).toBe(0);
  } finally {
    await find(capability.vaultDigest!);
  }
  const again = started({ credentials });
  await issuing.onTaskStarted(again);
  expect(await grantOf(again.task.taskId)).toMatchObject({ state: 'granted' });
  expect(vault.counts.minted).toBe(1);
});

describe('a start', () => {
  test('gets what policy permits and no more, each credential by itself', async () => {
    const { issuing, vault } = issuerOn(ledger.database);
    const message = started({ credentials });
    expect(await issuing.onTaskStarted(message)).toBeUndefined();
    const grant = (await grantOf(message.task.taskId))!;
    expect(grant).toMatchObject({ state: 'granted', agentId: message.task.agent.id, tenant: 'default', startEventId: message.envelope.id });
    expect((await credentialsOf(ledger.database, grant.id)).map(({ name, permitted, reasons }) => [name, permitted, ...reasons])).toEqual([
      ['orders', true, 'policy-permits'],
      ['owner', false, 'policy-denies'],
      ['nothing', false, 'unknown-capability'],
    ]);
    const leases = await leasesOf(ledger.database, grant.id);
    expect(leases).toMatchObject([{ name: 'orders', state: 'active', minter: 'issuer', expiresAt: plusSeconds(AT, 60) }]);
    expect(vault.counts).toEqual({ created: 1, minted: 1 });
    expect(await kindsOf(message.task.taskId)).toEqual([
      'dev.mayfly.evidence.task-requested.v1',
      'dev.mayfly.grant.issued.v1',
      'dev.mayfly.evidence.mint-intended.v1',
      'dev.mayfly.credential.issued.v1',
    ]);
  });

  test('that is permitted nothing reaches Vault in no way', async () => {
    const { issuing, vault } = issuerOn(ledger.database);
    const message = started({ credentials: credentials.slice(1) });
    expect(await issuing.onTaskStarted(message)).toBeUndefined();
    expect(await grantOf(message.task.taskId)).toMatchObject({ state: 'denied' });
    expect(vault.counts).toEqual({ created: 0, minted: 0 });
    expect(await kindsOf(message.task.taskId)).toContain('dev.mayfly.grant.denied.v1');
  });

  test.each<[string, Partial<TaskStart>, string]>([
    ['of a workflow that its source may not start', { workflow: { name: 'payroll' } }, 'unregistered-workflow'],
    ['for an agent that the workflow does not list', { agent: { id: 'spiffe://example.org/agent/reporter' } }, 'agent-not-allowed'],
    ['with too high a risk', { risk: 80 }, 'no-policy-permits'],
    ['whose deadline has passed', { deadline: AT }, 'deadline-passed'],
    ['under a parent that nobody knows', { parentTaskId: taskId('nobody') }, 'parent-not-live'],
  ])('%s is denied', async (_, changes, reason) => {
    const { issuing, vault } = issuerOn(ledger.database);
    const message = started(changes);
    await issuing.onTaskStarted(message);
    const grant = (await grantOf(message.task.taskId))!;
    expect(grant.state).toBe('denied');
    expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({ permitted: false, reasons: [reason] });
    expect(vault.counts.created).toBe(0);
  });

  test('of a sub-task gets at most what its parent has, not longer, with a token that dies with the parent’s', async () => {
    const { issuing, vault, database } = issuerOn(ledger.database);
    const parent = started({ deadline: plusSeconds(AT, 100) });
    await issuing.onTaskStarted(parent);
    const child = started({
      parentTaskId: parent.task.taskId,
      deadline: plusSeconds(AT, 1000),
      credentials: [...credentials.slice(0, 1), { name: 'cert', capability: 'service.cert' }],
    });
    expect(await issuing.onTaskStarted(child)).toBeUndefined();
    const grant = (await grantOf(child.task.taskId))!;
    expect(grant).toMatchObject({ state: 'granted', delegationDepth: 1, deadline: plusSeconds(AT, 100) });
    expect((await credentialsOf(database, grant.id))[1]).toMatchObject({ permitted: false, reasons: ['exceeds-parent'] });
    expect(vault.principals.size).toBe(2);
    await vault.revokeToken((await grantOf(parent.task.taskId))!.tokenAccessor!);
    expect(vault.principals.size).toBe(0);
  });
});

describe('a sub-task that its parent may not hand on', () => {
  test('gets nothing, and says so', async () => {
    const digest = await applyExample(ledger.database, (files) => ({
      ...files,
      'policies/more.cedar': '@id("no-helpers") forbid (principal, action == Mayfly::Action::"delegate", resource);',
    }));
    const { issuing, vault } = issuerOn(ledger.database);
    const parent = started();
    await issuing.onTaskStarted(parent);
    const child = started({ parentTaskId: parent.task.taskId });
    await issuing.onTaskStarted(child);
    const grant = (await grantOf(child.task.taskId))!;
    expect(grant).toMatchObject({ state: 'denied', policyDigest: digest });
    expect((await credentialsOf(ledger.database, grant.id))[0]).toMatchObject({
      permitted: false,
      reasons: ['delegation-denied', 'policy-denies'],
      policies: ['no-helpers'],
    });
    expect(vault.counts.created).toBe(1);
  });

  test('is on record where only a policy in shadow mode would forbid it', async () => {
    await applyExample(ledger.database, (files) => ({
      ...files,
      'policies/more.cedar': '@id("no-helpers") @mode("shadow") forbid (principal, action == Mayfly::Action::"delegate", resource);',
    }));
    const { issuing } = issuerOn(ledger.database);
    const parent = started();
    await issuing.onTaskStarted(parent);
    const child = started({ parentTaskId: parent.task.taskId });
    await issuing.onTaskStarted(child);
    expect(await grantOf(child.task.taskId)).toMatchObject({ state: 'granted' });
    const fact = (await readTaskEntries(ledger.database, child.task.taskId)).find(({ kind }) => kind.endsWith('.shadow-decided.v1'));
    expect(fact?.data).toMatchObject({
      action: 'delegate',
      target: child.task.agent.id,
      decision: 'permit',
      shadow: [{ policy: 'no-helpers', would: 'deny' }],
    });
    await applyExample(ledger.database);
  });
});

describe('at least once in, once through', () => {
  const rejects = (message: TaskStartedMessage, reason: string) =>
    expect(issuerOn(ledger.database).issuing.onTaskStarted(message)).rejects.toMatchObject({ reason, retriable: false });

  test('the same start again, and under another event id, changes nothing', async () => {
    const { issuing, vault } = issuerOn(ledger.database);
    const message = started();
    await issuing.onTaskStarted(message);
    await issuing.onTaskStarted(message);
    await issuing.onTaskStarted({ ...message, envelope: { ...message.envelope, id: 'another' } });
    expect(vault.counts).toEqual({ created: 1, minted: 1 });
  });

  test('an event id that comes back with other content is parked', async () => {
    const message = started();
    await issuerOn(ledger.database).issuing.onTaskStarted(message);
    await rejects(started({}, { id: message.envelope.id }), 'event-conflict');
  });

  test('a task id that comes back with other content is parked', async () => {
    const message = started();
    await issuerOn(ledger.database).issuing.onTaskStarted(message);
    await rejects(started({ taskId: message.task.taskId, risk: 1 }), 'task-conflict');
  });

  test('a source that nobody registered is parked', async () => {
    const message = started({}, { source: 'urn:mallory' });
    await rejects(message, 'unregistered-source');
    expect(await grantOf(message.task.taskId)).toBeUndefined();
  });

  test('an end that came before its start closes the task for ever', async () => {
    const message = started();
    const tombstone = { id: newGrantId(), taskId: message.task.taskId, tenant: 'default', source: SOURCE, risk: 0 } as const;
    await insertGrant(ledger.database, { ...tombstone, state: 'closed', openedAt: AT, closedAt: AT });
    await rejects(message, 'task-ended');
    await rejects({ ...message, envelope: { ...message.envelope, id: 'later' } }, 'task-ended');
    expect(await grantOf(message.task.taskId)).toMatchObject({ state: 'closed' });
  });

  test('an end that the issuer reads before the start closes the task, however far behind the revoker is', async () => {
    const { issuing } = issuerOn(ledger.database);
    const message = started();
    await issuing.onTaskEnded(ended(message.task.taskId));
    await rejects(message, 'task-ended');
    expect(await grantOf(message.task.taskId)).toMatchObject({ state: 'closed', endCause: 'task_ended' });
  });

  test('an end of a task that is known, of a stranger, or in contradiction to itself buries nothing here', async () => {
    const { issuing } = issuerOn(ledger.database);
    const message = started();
    await issuing.onTaskStarted(message);
    await issuing.onTaskEnded(ended(message.task.taskId));
    expect(await grantOf(message.task.taskId)).toMatchObject({ state: 'granted' });
    await issuing.onTaskEnded(ended('strange', { source: 'urn:mallory' }));
    await issuing.onTaskEnded(ended('contradicted', { id: message.envelope.id }));
    for (const id of ['strange', 'contradicted']) expect(await grantOf(id)).toBeUndefined();
  });

  test('many starts, each many times over two replicas at once: one grant, one token, one lease each', async () => {
    const one = issuerOn(ledger.database);
    const second = openDatabase({ url: ledger.url, applicationName: 'replica' });
    try {
      const other = issuerOn(second, one.clock, one.vault);
      const tasks = Array.from({ length: 12 }, () => task());
      const messages = tasks.flatMap((start) => {
        const message = started(start);
        return [message, message, { ...message, envelope: { ...message.envelope, id: `${message.envelope.id}-again` } }];
      });
      /** As the consumer does: what may be tried again is. */
      const insist = async (replica: typeof one, message: TaskStartedMessage): Promise<void> => {
        for (;;) {
          try {
            expect(await replica.issuing.onTaskStarted(message)).toBeUndefined();
            return;
          } catch (error) {
            expect(error).toMatchObject({ code: 'task-raced', retriable: true });
          }
        }
      };
      await Promise.all(messages.flatMap((message) => [insist(one, message), insist(other, message)]));
      expect(one.vault.counts).toEqual({ created: 12, minted: 12 });
      for (const { taskId: id } of tasks) {
        const grant = (await grantOf(id))!;
        expect(await leasesOf(ledger.database, grant.id)).toMatchObject([{ state: 'active' }]);
        expect((await kindsOf(id)).filter((kind) => kind === 'dev.mayfly.grant.issued.v1')).toHaveLength(1);
      }
      // A replica that was too late left no work behind either.
      one.clock.advance(60_000);
      expect(await one.issuing.mintDue()).toBe(0);
    } finally {
      await second.close();
    }
  });
});
