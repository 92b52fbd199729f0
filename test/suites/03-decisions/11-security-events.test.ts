import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { figure } from '../../world/faults.js';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { until, World } from '../../world/world.js';
import { DRIFT_SOURCE, Drifting, type Running } from './drifting.js';

const PARTS = ['risky', 'session', 'agent', 'account', 'neighbour'] as const;
type Part = (typeof PARTS)[number];
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

let world: World;
let hold: PolicyHold;
let drifting: Drifting;
let running: Readonly<Record<Part, Running>>;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
  drifting = await Drifting.prepare(world, hold, PARTS);
  running = Object.fromEntries(await Promise.all(PARTS.map(async (part) => [part, await drifting.task(part)] as const))) as typeof running;
}, 300_000);
afterAll(async () => {
  await Promise.all(Object.values(running ?? {}).map(({ session }) => session.close()));
  await hold?.release();
  await world?.close();
});

const email = (part: Part) => ({ format: 'email', email: drifting.initiatorOf(part) });

test.each<[string, Part, string, (task: string) => object, object, string]>([
  ['a high risk', 'risky', `${CAEP}risk-level-change`, () => email('risky'), { principal: 'USER', current_level: 'HIGH' }, 'risk'],
  ['a revoked session', 'session', `${CAEP}session-revoked`, (task) => ({ format: 'opaque', id: task }), {}, 'session_revoked'],
  [
    'a revoked session of an agent',
    'agent',
    `${CAEP}session-revoked`,
    () => ({
      format: 'complex',
      application: { format: 'uri', uri: drifting.agentOf('agent') },
      tenant: { format: 'opaque', id: 'default' },
    }),
    {},
    'session_revoked',
  ],
  ['a disabled account', 'account', `${RISC}account-disabled`, () => email('account'), { reason: 'hijacking' }, 'initiator_offboarded'],
])('%s, told by a registered transmitter, ends what it names at the database', async (_, part, type, subject, event, drift) => {
  const task = running[part];
  const since = performance.now();
  await drifting.tell(type, subject(task.taskId), event);
  const seconds = Math.max(await drifting.dead(task, since), await drifting.dead(task, since, 'orders'));
  figure(`${drift} by a security event: refused by the database after ${seconds} s, its open session broken`);
  expect(seconds).toBeLessThan(5);
  const { data } = await world.event(task.taskId, 'credential.revoked');
  expect(data).toMatchObject({ cause: 'risk_signal', drift });
  expect(await world.isRefused(running.neighbour.own)).toBe(false);
  expect(await running.neighbour.session.run('', 'select 1')).toHaveLength(1);
});

test('who left starts nothing more, until his account is enabled', async () => {
  const start = () =>
    world.start('orders-db.read', {
      source: DRIFT_SOURCE,
      data: {
        workflow: { name: 'account-work' },
        agent: { id: drifting.agentOf('account') },
        initiator: { id: drifting.initiatorOf('account'), kind: 'human' },
      },
    });
  const late = await start();
  expect((await world.event(late, 'grant.denied')).data).toMatchObject({ reason: 'initiator-offboarded' });
  await drifting.tell(`${RISC}account-enabled`, email('account'), { event_timestamp: Date.now() / 1000 + 1 });
  // The old task gets afresh what it had, and a new one starts.
  const again = await until('he is back', () =>
    world
      .agent(drifting.agentOf('account'))
      .secret(running.account.taskId, 'orders-db')
      .catch(() => undefined),
  );
  expect(await world.isRefused(again.data)).toBe(false);
  const back = await start();
  expect((await world.event(back, 'grant.issued')).data).toMatchObject({ reason: 'permitted' });
});

test('a token that proves nothing is parked with its reason, and does nothing', async () => {
  const parked = await drifting.tell(`${CAEP}session-revoked`, email('neighbour'), {}, { typ: 'JWT' });
  expect((await world.deadLetter(parked)).headers['mayfly-reason']).toBe('invalid-set');
  const unknown = await drifting.tell(`${CAEP}session-revoked`, email('neighbour'), {}, { kid: 'mallory' });
  expect((await world.deadLetter(unknown)).headers['mayfly-reason']).toBe('signer-not-allowed');
  expect(await world.isRefused(running.neighbour.own)).toBe(false);
});
