import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TaskOutcome } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import {
  amendGrant,
  credentialsOf,
  endGrant,
  findGrantByTask,
  leasesOf,
  lockGrantByTask,
  openDatabase,
  readTaskEntries,
} from '@mayfly/store';
import { parse, stringify } from 'yaml';
import { applyExample } from '../../../libs/store/test/example.js';
import { startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { issuerOn, SOURCE, started } from './world.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());
beforeEach(async () => {
  await ledger.database.run('', 'truncate ledger.task_grant, ledger.credential, ledger.lease, ledger.breaker, ledger.inbox cascade');
});

const ETL = 'spiffe://example.org/agent/etl';
/** The example with other limits. */
const limited = (change: (registrations: any) => void): Promise<string> =>
  applyExample(ledger.database, (files) => {
    const registrations = parse(files['registrations.yaml']!);
    delete registrations.tenants;
    delete registrations.agents[ETL].quotas;
    change(registrations);
    return { ...files, 'registrations.yaml': stringify(registrations) };
  });
const grantOf = async (id: string): Promise<Grant> => (await findGrantByTask(ledger.database, id))!;
const kindsOf = async (id: string): Promise<string[]> => (await readTaskEntries(ledger.database, id)).map(({ kind }) => kind);

type World = ReturnType<typeof issuerOn>;
async function start({ issuing }: World): Promise<Grant> {
  const message = started();
  await issuing.onTaskStarted(message);
  return grantOf(message.task.taskId);
}
const end = ({ clock }: World, { taskId }: Grant, outcome: TaskOutcome = 'succeeded', cause: 'task_ended' | 'operator' = 'task_ended') =>
  ledger.database.transaction('test', async (tx) =>
    endGrant(tx, (await lockGrantByTask(tx, taskId))!, { cause, by: 'test', at: clock.now(), ...(cause === 'task_ended' && { outcome }) }),
  );

describe('a quota', () => {
  test.each([
    ['tenant', (r: any) => (r.tenants = { default: { quotas: { liveTasks: 2 } } })],
    ['orchestrator', (r: any) => (r.orchestrators[SOURCE].quotas = { liveTasks: 2 })],
    ['agent', (r: any) => (r.agents[ETL].quotas = { liveTasks: 2 })],
  ])('of live tasks bounds a whole %s; what is over it is denied, says so, and mints nothing', async (scope, change) => {
    await limited(change);
    const world = issuerOn(ledger.database);
    const [one, two, three] = [await start(world), await start(world), await start(world)];
    expect([one.state, two.state, three.state]).toEqual(['granted', 'granted', 'denied']);
    expect((await credentialsOf(ledger.database, three.id))[0]).toMatchObject({ permitted: false, reasons: ['quota-exceeded'] });
    expect(await leasesOf(ledger.database, three.id)).toEqual([]);
    expect(await kindsOf(three.taskId)).toContain('dev.mayfly.evidence.quota-exceeded.v1');
    const said = (await readTaskEntries(ledger.database, three.taskId)).find(({ kind }) => kind === 'dev.mayfly.grant.denied.v1');
    expect(said?.data).toMatchObject({ reason: 'quota-exceeded' });
    const noted = (await readTaskEntries(ledger.database, three.taskId)).find(({ kind }) => kind.includes('quota'));
    expect(noted?.data).toMatchObject({ scope, quota: 'liveTasks', limit: 2 });
  });

  test('of live tasks is free again once a task is over for good, not while it is still dying', async () => {
    await limited((r) => (r.tenants = { default: { quotas: { liveTasks: 1 } } }));
    const world = issuerOn(ledger.database);
    const one = await start(world);
    await end(world, one);
    expect((await start(world)).state).toBe('denied');
    await ledger.database.run('', `update ledger.task_grant set state = 'closed', prior_state = 'closing' where id = $1`, [one.id]);
    expect((await start(world)).state).toBe('granted');
  });

  test('of starts bounds those that were admitted in the last minute; refused ones do not count', async () => {
    await limited((r) => (r.tenants = { default: { quotas: { startsPerMinute: 2 } } }));
    const world = issuerOn(ledger.database);
    const states = [];
    for (let i = 0; i < 4; i += 1) states.push((await start(world)).state);
    expect(states).toEqual(['granted', 'granted', 'denied', 'denied']);
    world.clock.advance(60_000);
    expect((await start(world)).state).toBe('granted');
  });

  test('of mints bounds the credentials minted in the last minute', async () => {
    await limited((r) => (r.agents[ETL].quotas = { mintsPerMinute: 1 }));
    const world = issuerOn(ledger.database);
    expect((await start(world)).state).toBe('granted');
    expect((await start(world)).state).toBe('denied');
    world.clock.advance(60_000);
    expect((await start(world)).state).toBe('granted');
  });

  test('is not exceeded by starts side by side in two processes', async () => {
    await limited((r) => (r.tenants = { default: { quotas: { liveTasks: 5 } } }));
    const other = openDatabase({ url: ledger.url, applicationName: 'other' });
    try {
      const worlds = [issuerOn(ledger.database), issuerOn(other)];
      const states = await Promise.all(Array.from({ length: 20 }, async (_, i) => (await start(worlds[i % 2]!)).state));
      expect(states.filter((state) => state === 'granted')).toHaveLength(5);
      expect(states.filter((state) => state === 'denied')).toHaveLength(15);
    } finally {
      await other.close();
    }
  });

  test('that nobody set bounds nothing', async () => {
    await limited(() => undefined);
    const world = issuerOn(ledger.database);
    for (let i = 0; i < 5; i += 1) expect((await start(world)).state).toBe('granted');
  });
});

describe('the breaker of a workflow', () => {
  const RULE = { failures: 2, withinSeconds: 60, openForSeconds: 120 };
  beforeEach(() => limited((r) => (r.orchestrators[SOURCE].workflows.find((each: any) => each.name === 'nightly-etl').breaker = RULE)));
  async function tripped(): Promise<World> {
    const world = issuerOn(ledger.database);
    for (let i = 0; i < 2; i += 1) await end(world, await start(world), 'failed');
    return world;
  }

  test('opens when its tasks crash again and again: starts are denied with the reason, and evidence says so', async () => {
    const world = await tripped();
    const refused = await start(world);
    expect(refused.state).toBe('denied');
    expect((await credentialsOf(ledger.database, refused.id))[0]?.reasons).toEqual(['breaker-open']);
    expect(await kindsOf(refused.taskId)).toEqual(
      expect.arrayContaining(['dev.mayfly.evidence.breaker-open.v1', 'dev.mayfly.grant.denied.v1']),
    );
    // Said once, refused each time.
    const again = await start(world);
    expect([again.state, (await kindsOf(again.taskId)).some((kind) => kind.includes('breaker'))]).toEqual(['denied', false]);
  });

  test('lets exactly one try when its time is over, whatever number asks, and closes when that one succeeds', async () => {
    const world = await tripped();
    await start(world);
    world.clock.advance(120_000);
    const asking = await Promise.all([1, 2, 3, 4].map(() => start(world)));
    const trials = asking.filter(({ state }) => state === 'granted');
    expect(trials).toHaveLength(1);
    expect((await start(world)).state).toBe('denied');
    await end(world, trials[0]!);
    expect((await start(world)).state).toBe('granted');
    expect((await start(world)).state).toBe('granted');
  });

  test('opens again when the trial fails, for its whole time', async () => {
    const world = await tripped();
    await start(world);
    world.clock.advance(120_000);
    await end(world, await start(world), 'failed');
    expect((await start(world)).state).toBe('denied');
    world.clock.advance(119_000);
    expect((await start(world)).state).toBe('denied');
    world.clock.advance(1_000);
    expect((await start(world)).state).toBe('granted');
  });

  test('is not closed by a trial that somebody else ended, nor by a tombstone', async () => {
    const world = await tripped();
    await start(world);
    world.clock.advance(120_000);
    const trial = await start(world);
    await end(world, trial, undefined, 'operator');
    const next = await start(world);
    expect(next.state).toBe('granted');
    expect((await start(world)).state).toBe('denied');
  });

  test('does not concern another agent’s claims: they neither open it nor are its trial', async () => {
    const world = await tripped();
    const message = started({ agent: { id: 'spiffe://example.org/agent/reporter' } });
    await world.issuing.onTaskStarted(message);
    const grant = await grantOf(message.task.taskId);
    expect((await credentialsOf(ledger.database, grant.id))[0]?.reasons).toEqual(['agent-not-allowed']);
    const [none] = await ledger.database.run<{ count: number }>('', 'select count(*)::int as count from ledger.breaker');
    expect(none?.count).toBe(0);
  });
});

describe('a task’s budget of mints', () => {
  test('bounds what is minted at its start; the rest is left to be refused when it is fetched', async () => {
    await limited((r) => (r.orchestrators[SOURCE].workflows[0].budgets = { mints: 1 }));
    const world = issuerOn(ledger.database);
    const reads = ['one', 'two'].map((name) => ({ name, capability: 'orders-db.read' }));
    const message = started({ credentials: reads });
    await world.issuing.onTaskStarted(message);
    const grant = await grantOf(message.task.taskId);
    expect(await credentialsOf(ledger.database, grant.id)).toMatchObject([{ permitted: true }, { permitted: true }]);
    expect((await leasesOf(ledger.database, grant.id)).map(({ name }) => name)).toEqual(['one']);
  });
});

describe('a sub-task', () => {
  test('stands no better than the task that it works for', async () => {
    await limited(() => undefined);
    const world = issuerOn(ledger.database);
    const parent = await start(world);
    await amendGrant(ledger.database, parent.id, 'granted', { behaviour: 'warned' });
    const child = started({ parentTaskId: parent.taskId });
    await world.issuing.onTaskStarted(child);
    expect(await grantOf(child.task.taskId)).toMatchObject({ state: 'granted', behaviour: 'warned' });
    for (const behaviour of ['narrowed', 'suspended'] as const) {
      await amendGrant(ledger.database, parent.id, 'granted', { behaviour });
      const late = started({ parentTaskId: parent.taskId });
      await world.issuing.onTaskStarted(late);
      expect((await grantOf(late.task.taskId)).state).toBe('denied');
    }
  });
});
