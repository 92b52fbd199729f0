import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newGrantId, newLeaseRef, TaskClosed } from '@mayfly/domain';
import {
  endGrant,
  findGrantByTask,
  insertCredentials,
  insertGrant,
  intendLease,
  leasesOf,
  lockGrant,
  readTaskEntries,
  transitionGrant,
  transitionLease,
} from '@mayfly/store';
import { applyExample } from '../../../libs/store/test/example.js';
import { AT, startLedger, task, type Ledger } from '../../../libs/store/test/ledger.js';
import { AGENT, deliveryOn, OTHER_AGENT, ready } from './world.js';

let ledger: Ledger;
let world: ReturnType<typeof deliveryOn>;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
  world = deliveryOn(ledger.database);
}, 60_000);
afterAll(async () => {
  await world?.close();
  await ledger?.stop();
});

/** A task with two credentials, each with an active lease. */
async function withTwo() {
  const { grant, credential } = await ready(world);
  await insertCredentials(ledger.database, [{ ...credential, name: 'second' }]);
  const ref = newLeaseRef();
  await intendLease(ledger.database, { ref, grantId: grant.id, name: 'second', minter: 'issuer', intendedAt: AT });
  await transitionLease(ledger.database, ref, 'minting', 'active', { issuedAt: AT });
  return grant;
}
const states = async (id: Parameters<typeof leasesOf>[1]) =>
  Object.fromEntries((await leasesOf(ledger.database, id)).map(({ name, state }) => [name, state]));

test('a release by name ends that credential and no other', async () => {
  const grant = await withTwo();
  await world.delivering.release(grant.taskId, AGENT, ['second']);
  expect(await states(grant.id)).toEqual({ orders: 'active', second: 'revoking' });
  expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ state: 'granted' });
  const [lease] = (await leasesOf(ledger.database, grant.id)).filter(({ name }) => name === 'second');
  expect(lease).toMatchObject({ cause: 'agent_release' });
  const told = (await readTaskEntries(ledger.database, grant.taskId)).find(({ kind }) => kind.endsWith('released.v1'));
  expect(told?.data).toEqual({ agent: AGENT, names: ['second'] });
});

test('a release without names ends the task’s grant', async () => {
  const grant = await withTwo();
  await world.delivering.release(grant.taskId, AGENT, []);
  expect(await states(grant.id)).toEqual({ orders: 'revoking', second: 'revoking' });
  expect(await findGrantByTask(ledger.database, grant.taskId)).toMatchObject({ state: 'closing', endCause: 'agent_release' });
  await expect(world.delivering.fetch(grant.taskId, 'orders', AGENT, 0)).rejects.toThrow(TaskClosed);
});

test('a release with one unknown name changes nothing at all', async () => {
  const grant = await withTwo();
  await expect(world.delivering.release(grant.taskId, AGENT, ['second', 'third'])).rejects.toMatchObject({ code: 'invalid-request' });
  expect(await states(grant.id)).toEqual({ orders: 'active', second: 'active' });
  expect((await readTaskEntries(ledger.database, grant.taskId)).map(({ kind }) => kind)).not.toContain('dev.mayfly.evidence.released.v1');
});

test('a release of a task that is over, or once more, is no error and changes nothing', async () => {
  const grant = await withTwo();
  await world.delivering.release(grant.taskId, AGENT, []);
  await world.delivering.release(grant.taskId, AGENT, []);
  expect((await readTaskEntries(ledger.database, grant.taskId)).filter(({ kind }) => kind.endsWith('released.v1'))).toHaveLength(1);
});

test('nobody releases, views or keeps alive what is another’s', async () => {
  const grant = await withTwo();
  for (const attempt of [
    world.delivering.release(grant.taskId, OTHER_AGENT, []),
    world.delivering.view(grant.taskId, OTHER_AGENT),
    world.delivering.heartbeat(grant.taskId, OTHER_AGENT),
  ])
    await expect(attempt).rejects.toMatchObject({ code: 'task-not-found' });
  expect(await states(grant.id)).toEqual({ orders: 'active', second: 'active' });
});

test('a heartbeat is noted while the task lives, and refused when it has ended', async () => {
  const { grant } = await ready(world);
  world.clock.advance(5_000);
  await world.delivering.heartbeat(grant.taskId, AGENT);
  expect((await findGrantByTask(ledger.database, grant.taskId))?.heartbeatAt).toEqual(world.clock.now());
  await ledger.database.transaction('test', async (tx) => {
    await endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'revoker', at: AT });
  });
  await expect(world.delivering.heartbeat(grant.taskId, AGENT)).rejects.toThrow(TaskClosed);
});

test('a heartbeat of a task that was denied is told so', async () => {
  const start = task();
  await ledger.database.transaction('test', async (tx) => {
    const id = newGrantId();
    const { taskId, agent } = start;
    const grant = { id, taskId, agentId: agent.id, tenant: 'default', source: 'urn:test', request: start, startEventId: 'e', openedAt: AT };
    await insertGrant(tx, { ...grant, risk: 0, state: 'requested' });
    await transitionGrant(tx, id, 'requested', 'denied');
  });
  await expect(world.delivering.heartbeat(start.taskId, AGENT)).rejects.toMatchObject({ code: 'denied', status: 403 });
});

test('a view tells states and reasons, and nothing that would let its reader act', async () => {
  const { grant, lease } = await ready(world);
  const view = await world.delivering.view(grant.taskId, AGENT);
  expect(view).toMatchObject({
    state: 'granted',
    credentials: [{ name: 'orders', state: 'active', shape: 'revocable', leaseRef: lease.ref, reasons: ['policy-permits'] }],
  });
  const text = JSON.stringify(view);
  for (const hidden of [grant.sealedToken!, grant.tokenAccessor!, lease.vaultLeaseId!, lease.principal!])
    expect(text).not.toContain(hidden);
});
