import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { digestOf, newGrantId, newLeaseRef, taskId, type TaskId, type TaskOutcome } from '@mayfly/domain';
import { findGrantByTask, findLease, insertGrant, insertTombstone, intendLease, leasesOf } from '@mayfly/store';
import type { TaskEndedMessage, TaskHeartbeatMessage } from '@mayfly/task-events';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, granted, startLedger, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { watchTheClock } from '../src/watches.js';
import { live, revokerOn, SOURCE, told, type World } from './world.js';

let ledger: Ledger;
let world: World;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
  world = revokerOn(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());

const grantOf = (id: string) => findGrantByTask(ledger.database, id);

let events = 0;
const ended = (id: TaskId, outcome: TaskOutcome = 'succeeded', envelope: Partial<TaskEndedMessage['envelope']> = {}): TaskEndedMessage => ({
  kind: 'ended',
  end: { taskId: id, outcome },
  envelope: { id: `end-${(events += 1)}`, source: SOURCE, type: 'dev.mayfly.task.ended.v1', ...envelope },
  digest: digestOf({ id, outcome }),
});

describe('an end that is told', () => {
  test('ends every lease, in one step with the grant, and only once', async () => {
    const { grant, lease } = await live(world);
    const message = ended(grant.taskId, 'failed');
    await world.revoking.onTaskEnded(message);
    await world.revoking.onTaskEnded(message);
    await world.revoking.onTaskEnded(ended(grant.taskId));
    expect(await grantOf(grant.taskId)).toMatchObject({
      state: 'closing',
      endCause: 'task_ended',
      endOutcome: 'failed',
      endEventId: message.envelope.id,
    });
    expect(await findLease(ledger.database, lease.ref)).toMatchObject({ state: 'revoking', causeEventId: message.envelope.id });
    expect(await told(world, grant.taskId)).toMatchObject({ 'dev.mayfly.credential.revocation-requested.v1': 1 });
  });

  test('before its start closes the task for ever, with evidence', async () => {
    const id = taskId('never-started');
    await world.revoking.onTaskEnded(ended(id, 'cancelled'));
    await world.revoking.onTaskEnded(ended(id, 'cancelled'));
    expect(await grantOf(id)).toMatchObject({ state: 'closed', endOutcome: 'cancelled', tenant: 'default' });
    expect(await told(world, id)).toMatchObject({ 'dev.mayfly.evidence.task-ended-before-start.v1': 1 });
    expect(await world.revoking.killDue()).toBeGreaterThanOrEqual(0);
    expect(await grantOf(id)).toMatchObject({ state: 'closed' });
  });

  test('whose tombstone the issuer has written already is stated as one that came before its start', async () => {
    const message = ended(taskId('buried'));
    const { source, id: eventId } = message.envelope;
    await insertTombstone(ledger.database, {
      taskId: message.end.taskId,
      tenant: 'default',
      source,
      outcome: 'succeeded',
      eventId,
      at: AT,
    });
    await world.revoking.onTaskEnded(message);
    expect(await told(world, message.end.taskId)).toEqual({ 'dev.mayfly.evidence.task-ended-before-start.v1': 1 });
  });

  test('by nobody who is registered, by another orchestrator, or in contradiction to itself, is parked and ends nothing', async () => {
    const { grant } = await live(world);
    const foreign = await live(world, {}, { source: 'urn:other:orchestrator' });
    const parked = (message: TaskEndedMessage, reason: string) =>
      expect(world.revoking.onTaskEnded(message)).rejects.toMatchObject({ reason, retriable: false });
    await parked(ended(grant.taskId, 'succeeded', { source: 'urn:mallory' }), 'unregistered-source');
    await parked(ended(foreign.grant.taskId), 'foreign-task');
    const message = ended(taskId('something-else'));
    await world.revoking.onTaskEnded(message);
    await parked(ended(grant.taskId, 'succeeded', { id: message.envelope.id }), 'event-conflict');
    for (const id of [grant.taskId, foreign.grant.taskId]) expect(await grantOf(id)).toMatchObject({ state: 'granted' });
  });

  test('of a parent ends its sub-tasks, theirs too', async () => {
    const parent = await live(world);
    const child = await live(world, {}, { parentGrantId: parent.grant.id });
    const grandchild = await live(world, {}, { parentGrantId: child.grant.id });
    await world.revoking.onTaskEnded(ended(parent.grant.taskId));
    for (const { grant, lease } of [child, grandchild]) {
      expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', endCause: 'parent_ended' });
      expect(await findLease(ledger.database, lease.ref)).toMatchObject({ state: 'revoking', cause: 'parent_ended' });
    }
  });

  test('of a task that was denied, or is not decided yet, hands out nothing later', async () => {
    const start = task();
    await insertGrant(ledger.database, {
      id: newGrantId(),
      taskId: start.taskId,
      tenant: 'default',
      source: SOURCE,
      state: 'requested',
      risk: 0,
      openedAt: AT,
    });
    await world.revoking.onTaskEnded(ended(start.taskId));
    expect(await grantOf(start.taskId)).toMatchObject({ state: 'closed' });
  });
});

describe('a heartbeat', () => {
  const beat = (id: TaskId, source = SOURCE): TaskHeartbeatMessage => ({
    kind: 'heartbeat',
    taskId: id,
    envelope: { id: `beat-${(events += 1)}`, source, type: 'dev.mayfly.task.heartbeat.v1' },
    digest: digestOf({ id }),
  });

  test('counts from the task’s own orchestrator only, and opens nothing', async () => {
    const { grant } = await live(world);
    world.clock.advance(1_000);
    await world.revoking.onHeartbeat(beat(grant.taskId, 'urn:mallory'));
    expect((await grantOf(grant.taskId))?.heartbeatAt).toBeUndefined();
    await world.revoking.onHeartbeat(beat(grant.taskId));
    expect((await grantOf(grant.taskId))?.heartbeatAt).toEqual(world.clock.now());
    await world.revoking.onHeartbeat(beat(taskId('unheard-of')));
    expect(await grantOf('unheard-of')).toBeUndefined();
  });
});

describe('an end that nobody tells', () => {
  const watch = async (mine: World): Promise<void> => {
    while ((await watchTheClock(mine)) > 0);
  };

  test('a deadline ends the task, and not a moment earlier', async () => {
    const mine = revokerOn(ledger.database);
    const { grant } = await granted(ledger.database);
    mine.clock.advance(3_599_999);
    await watch(mine);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'granted' });
    mine.clock.advance(1);
    await watch(mine);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', endCause: 'expired' });
  });

  test.each([
    ['an hour ahead', 3_600_000],
    ['a day ahead', 86_400_000],
    ['beyond 2038', new Date('2039-01-01T00:00:00Z').getTime() - AT.getTime()],
  ])('a clock that jumps %s ends what it says is over, once; back again it revives nothing', async (_, milliseconds) => {
    const mine = revokerOn(ledger.database);
    const { grant } = await granted(ledger.database);
    mine.clock.advance(milliseconds);
    await watch(mine);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', endCause: 'expired' });
    mine.clock.advance(-milliseconds);
    await watch(mine);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', endCause: 'expired' });
  });

  test('a clock that jumps an hour back ends nothing early and prolongs nothing: the deadline stays what it was', async () => {
    const mine = revokerOn(ledger.database);
    const { grant } = await granted(ledger.database);
    mine.clock.advance(-3_600_000);
    await watch(mine);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'granted', deadline: grant.deadline });
    mine.clock.advance(2 * 3_600_000);
    await watch(mine);
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'closing', endCause: 'expired' });
  });

  test('a task that has been silent for too long has lost its heartbeat; one that expects none has not', async () => {
    const mine = revokerOn(ledger.database);
    const { grant: silent } = await granted(ledger.database, { heartbeatAt: AT, heartbeatTimeoutSeconds: 30 });
    const { grant: quiet } = await granted(ledger.database, { heartbeatAt: AT });
    mine.clock.advance(29_999);
    await watch(mine);
    expect(await grantOf(silent.taskId)).toMatchObject({ state: 'granted' });
    mine.clock.advance(1);
    await watch(mine);
    expect(await grantOf(silent.taskId)).toMatchObject({ state: 'closing', endCause: 'lost_heartbeat' });
    expect(await grantOf(quiet.taskId)).toMatchObject({ state: 'granted' });
  });

  test('a lease whose time is over ends, and its task goes on', async () => {
    const mine = revokerOn(ledger.database);
    const { grant, lease } = await live(mine);
    mine.clock.advance(60_000);
    await watch(mine);
    expect(await findLease(ledger.database, lease.ref)).toMatchObject({ state: 'revoking', cause: 'expired' });
    expect(await grantOf(grant.taskId)).toMatchObject({ state: 'granted' });
  });

  test('an intent whose owner must be dead is ended, so that the credential can be asked for again', async () => {
    const mine = revokerOn(ledger.database);
    const { grant } = await granted(ledger.database, { lease: false, minter: 'delivery' });
    const resumed = await granted(ledger.database, { lease: false, minter: 'issuer' });
    mine.clock.advance(29_999);
    await watch(mine);
    expect(await leasesOf(ledger.database, grant.id)).toMatchObject([{ state: 'minting' }]);
    mine.clock.advance(1);
    await watch(mine);
    expect(await leasesOf(ledger.database, grant.id)).toMatchObject([{ state: 'revoking', cause: 'expired' }]);
    // The issuer takes its own up again.
    expect(await leasesOf(ledger.database, resumed.grant.id)).toMatchObject([{ state: 'minting' }]);
    const ref = newLeaseRef();
    expect(await intendLease(ledger.database, { ref, grantId: grant.id, name: 'orders', minter: 'delivery', intendedAt: AT })).toBe(true);
  });
});
