import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PolicyFiles } from '@mayfly/policy';
import { figure } from '../../world/faults.js';
import { holdPolicies, type PolicyHold } from '../../world/policy-hold.js';
import { World } from '../../world/world.js';
import { DRIFT_SOURCE, Drifting, type Running } from './drifting.js';

const PARTS = ['set', 'catalogue', 'suspended', 'orphaned', 'unregistered', 'unlisted', 'offboarded', 'parent', 'sibling'] as const;
type Part = (typeof PARTS)[number];

let world: World;
let hold: PolicyHold;
let drifting: Drifting;
let running: Readonly<Record<Part, Running>>;
let child: Running;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
  drifting = await Drifting.prepare(world, hold, PARTS);
  running = Object.fromEntries(await Promise.all(PARTS.map(async (part) => [part, await drifting.task(part)] as const))) as typeof running;
  child = await drifting.task('sibling', { parentTaskId: running.parent.taskId }, 'parent-db');
}, 300_000);
afterAll(async () => {
  await Promise.all([...Object.values(running ?? {}), child].map((one) => one?.session.close()));
  await hold?.release();
  await world?.close();
});

const edited = (file: string, from: string | RegExp, to: string) => (files: PolicyFiles) => {
  const text = files[file]!.replace(from, to);
  if (text === files[file]) throw new Error(`nothing to replace in ${file}`);
  return { ...files, [file]: text };
};
const forbidding = (part: Part) => (files: PolicyFiles) => ({
  ...files,
  [`policies/forbid-${part}.cedar`]: `@id("forbid-${part}")
forbid (principal == Mayfly::Agent::"${drifting.agentOf(part)}", action == Mayfly::Action::"fetch", resource == Mayfly::Capability::"${part}-db");`,
});
const REGISTRATIONS = 'registrations.yaml';
/** Each on top of those before it, so that what is lost by one is never what another took. */
let applied = (files: PolicyFiles): PolicyFiles => files;
const move = async (change: (files: PolicyFiles) => PolicyFiles): Promise<number> => {
  const before = applied;
  applied = (files) => change(before(files));
  const since = performance.now();
  await drifting.apply(applied);
  return since;
};
const said = (taskId: string, credential: string) =>
  world.event(taskId, 'credential.revoked', ({ data }) => data['credential'] === credential).then(({ data }) => data);

test.each<[string, Part, (files: PolicyFiles) => PolicyFiles, 'one' | 'both']>([
  ['policy_set', 'set', (files) => forbidding('set')(files), 'one'],
  ['catalogue', 'catalogue', edited('catalogue.yaml', /(catalogue-db:[^]*?role:) orders-read/, '$1 orders-write'), 'one'],
  ['agent_suspended', 'suspended', edited(REGISTRATIONS, /(drift-suspended:\n.*\n.*status:) active/, '$1 suspended'), 'both'],
  ['agent_owner_gone', 'orphaned', edited(REGISTRATIONS, /$/, '\noffboarded: [owner-of-orphaned]\n'), 'both'],
  [
    'agent_unregistered',
    'unregistered',
    (files) => ({
      ...files,
      [REGISTRATIONS]: files[REGISTRATIONS]!.replace(/ {2}spiffe:\/\/example.org\/agent\/drift-unregistered:\n(?: {4}.*\n)+/, '').replace(
        '[spiffe://example.org/agent/drift-unregistered]',
        '[spiffe://example.org/agent/drift-sibling]',
      ),
    }),
    'both',
  ],
  [
    'orchestrator_registration',
    'unlisted',
    edited(REGISTRATIONS, '[spiffe://example.org/agent/drift-unlisted]', '[spiffe://example.org/agent/drift-sibling]'),
    'both',
  ],
  ['initiator_offboarded', 'offboarded', edited(REGISTRATIONS, 'offboarded: [', 'offboarded: [offboarded@drift.example, '), 'both'],
])('%s ends exactly what was lost, at the database; siblings go on working', async (drift, part, change, what) => {
  const task = running[part];
  const since = await move(change);
  const seconds = [await drifting.dead(task, since), ...(what === 'both' ? [await drifting.dead(task, since, 'orders')] : [])];
  figure(`${drift}: refused by the database after ${Math.max(...seconds)} s, its open session broken`);
  expect(Math.max(...seconds)).toBeLessThan(5);
  expect(await said(task.taskId, 'own')).toMatchObject({ cause: 'policy_drift', drift });
  if (what === 'one') expect(await world.isRefused(task.orders)).toBe(false);
  expect(await world.isRefused(running.sibling.own)).toBe(false);
  expect(await running.sibling.session.run('', 'select 1')).toHaveLength(1);
  const refused = await world.ask(`/v1/tasks/${task.taskId}/secrets/own`, { agent: drifting.agentOf(part) });
  expect(refused).toMatchObject({ status: 403, body: { code: 'denied' } });
});

test('parent_narrowed: what a task loses its sub-tasks lose at once, and they start with no more than it has now', async () => {
  const since = await move(forbidding('parent'));
  const seconds = Math.max(await drifting.dead(running.parent, since), await drifting.dead(child, since));
  figure(`parent_narrowed: the sub-task's login refused after ${seconds} s`);
  expect(seconds).toBeLessThan(5);
  expect(await said(child.taskId, 'own')).toMatchObject({ cause: 'policy_drift', drift: 'parent_narrowed' });
  for (const { orders } of [running.parent, child]) expect(await world.isRefused(orders)).toBe(false);

  const late = await world.start([{ name: 'own', capability: 'parent-db' }, 'orders-db.read'], {
    source: DRIFT_SOURCE,
    data: { workflow: { name: 'sibling-work' }, agent: { id: drifting.agentOf('sibling') }, parentTaskId: running.parent.taskId },
  });
  expect((await world.event(late, 'grant.issued')).data).toMatchObject({
    credentials: [{ decision: 'deny', reasons: ['exceeds-parent'] }, { decision: 'permit' }],
  });
});
