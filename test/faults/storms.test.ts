/** The guarantee: a storm of one tenant is over in time, leaves the others their turn, and ends at its quota. Needs the policy set for itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectKafka, type EventProducer } from '@mayfly/kafka';
import { readPolicyFiles } from '@mayfly/policy';
import { createLogger } from '@mayfly/telemetry';
import { LedgerEyes } from '../world/ledger-eyes.js';
import { Orchestrator, type StormTask } from '../world/orchestrator.js';
import { TargetWatch } from '../storm/target-watch.js';
import { tenantsOf, withTenants, type Limits } from '../world/tenants.js';
import { until, World } from '../world/world.js';

const CAPABILITY = 'orders-db.read';
const STORM = 120;
const [STORMY, CALM] = tenantsOf(2) as [ReturnType<typeof tenantsOf>[0], ReturnType<typeof tenantsOf>[0]];

let world: World;
let ledger: LedgerEyes;
let target: TargetWatch;
let producer: EventProducer;
let orchestrator: Orchestrator;
beforeAll(async () => {
  world = await World.open();
  const { dev } = world;
  ledger = new LedgerEyes(dev.postgres.url);
  const password = readFileSync(join(dev.home, 'keys', 'postgres.password'), 'utf8');
  target = new TargetWatch(`postgres://postgres:${password}@${dev.orders.host}:${dev.orders.port}/${dev.orders.database}`);
  producer = connectKafka({
    brokers: dev.kafka.brokers,
    clientId: 'storm',
    logger: createLogger({ service: 'test', level: 'fatal' }),
  }).producer();
  orchestrator = new Orchestrator(producer);
}, 60_000);
afterAll(async () => {
  await apply(await readPolicyFiles('deploy/policies/example'));
  await Promise.all([target?.close(), ledger?.close(), producer?.stop(), world?.close()]);
});

const apply = async (files: object): Promise<void> =>
  expect(await world.operate('/v1/policies', { method: 'POST', body: JSON.stringify({ files }) })).toMatchObject({ status: 200 });
const limited = async (limits: Record<string, Limits> = {}): Promise<void> =>
  apply(await withTenants([STORMY, CALM], [CAPABILITY], limits));
const tasksOf = (tenant: typeof STORMY, count: number): StormTask[] =>
  Array.from({ length: count }, () => ({ id: world.newTaskId('storm'), tenant }));
const decided = (task: StormTask) => world.event(task.id, 'grant.denied', undefined, 30);

/** Starts them and waits until each has a login; returns their grants by task. */
async function live(tasks: readonly StormTask[], seconds = 60): Promise<ReadonlyMap<string, string>> {
  await orchestrator.start(tasks, CAPABILITY);
  const wanted = new Set(tasks.map(({ id }) => id));
  const grants = async () => (await ledger.grants('storm-')).filter(({ taskId }) => wanted.has(taskId));
  const all = await until(
    'all tasks have a login',
    async () => {
      const known = await grants();
      return known.length === tasks.length && known.every(({ grantId }) => target.alive.has(grantId)) ? known : undefined;
    },
    seconds,
  );
  return new Map(all.map(({ taskId, grantId }) => [taskId, grantId]));
}

test('a storm of ends: nothing outlives it, another tenant’s single end does not wait behind it, and calls of Vault stay bounded', async () => {
  await limited();
  const storm = tasksOf(STORMY, STORM);
  const single = tasksOf(CALM, 1);
  const grants = await live([...storm, ...single]);
  const [singleGrant] = single.map(({ id }) => grants.get(id)!);
  const stormGrants = storm.map(({ id }) => grants.get(id)!);
  await orchestrator.end(storm);
  await orchestrator.end(single);
  await until('the single end is carried out', () => (target.diedAt.has(singleGrant!) ? true : undefined), 60);
  const stormLeft = stormGrants.filter((grant) => target.alive.has(grant)).length;
  // Were it served in the order of arrival, it would be the last.
  expect(stormLeft).toBeGreaterThan(STORM / 3);
  const metrics = await (await fetch(`http://127.0.0.1:${world.dev.ports['revoker']}/metrics`)).text();
  const gauge = (name: string): number =>
    Number(new RegExp(`^mayfly_vault_calls_${name}(?:\\{[^}]*\\})? ([\\d.]+)`, 'm').exec(metrics)?.[1]);
  expect(gauge('limit')).toBeLessThanOrEqual(32);
  expect(gauge('in_flight')).toBeLessThanOrEqual(gauge('limit'));
  await until('every login of the storm is dead', () => (stormGrants.every((grant) => !target.alive.has(grant)) ? true : undefined), 120);
  await until('every grant is closed', async () => ((await ledger.states(STORMY.name))['closing'] === undefined ? true : undefined), 60);
}, 240_000);

test('what a person kills goes before a storm of ends', async () => {
  await limited();
  const storm = tasksOf(STORMY, STORM);
  const [killed] = tasksOf(STORMY, 1);
  const grants = await live([...storm, killed!]);
  const stormGrants = storm.map(({ id }) => grants.get(id)!);
  await orchestrator.end(storm);
  await world.operate('/v1/revocations', {
    method: 'POST',
    body: JSON.stringify({ selector: { taskId: killed!.id }, reason: 'it must stop' }),
  });
  await until('the killed login is dead', () => (target.diedAt.has(grants.get(killed!.id)!) ? true : undefined), 60);
  expect(stormGrants.filter((grant) => target.alive.has(grant)).length).toBeGreaterThan(STORM / 3);
  await until('the storm is over', () => (stormGrants.every((grant) => !target.alive.has(grant)) ? true : undefined), 120);
}, 240_000);

test('a storm of starts stops at its quota: denied with the reason, nothing minted, and another tenant starts as ever', async () => {
  const before = (await ledger.states(STORMY.name))['granted'] ?? 0;
  await limited({ [STORMY.name]: { quotas: { liveTasks: before + 5 } } });
  const storm = tasksOf(STORMY, 40);
  const others = tasksOf(CALM, 1);
  await orchestrator.start(storm, CAPABILITY);
  await live(others);
  const denied = await until(
    'the rest is denied',
    () => {
      const seen = storm.filter(({ id }) => world.eventsOf(id, 'grant.denied').length > 0);
      return seen.length === 35 ? seen : undefined;
    },
    30,
  );
  for (const { id } of denied) expect(world.eventsOf(id, 'grant.denied')[0]?.data['reason']).toBe('quota-exceeded');
  expect((await ledger.states(STORMY.name))['granted']).toBe(before + 5);
  await orchestrator.end([...storm, ...others]);
}, 120_000);

test('a task that crashes again and again is not started again for a while; then one may try', async () => {
  await limited({ [CALM.name]: { breaker: { failures: 3, withinSeconds: 60, openForSeconds: 3 } } });
  for (let crash = 0; crash < 3; crash += 1) {
    const [task] = tasksOf(CALM, 1);
    await live([task!]);
    await orchestrator.end([task!], 'failed');
    await world.event(task!.id, 'grant.closed', undefined, 30);
  }
  const [refused] = tasksOf(CALM, 1);
  await orchestrator.start([refused!], CAPABILITY);
  expect((await decided(refused!)).data['reason']).toBe('breaker-open');
  // Each start that is refused shows that it is still open; the first one that is not is the trial.
  const trial = await until(
    'one may try',
    async () => {
      const [task] = tasksOf(CALM, 1);
      await orchestrator.start([task!], CAPABILITY);
      const issued = await until(
        'it is decided',
        () => world.eventsOf(task!.id).find(({ type }) => /grant\.(issued|denied)/.test(type)),
        20,
      );
      return issued.type.includes('issued') ? task : undefined;
    },
    30,
  );
  await orchestrator.end([trial]);
  await world.event(trial.id, 'grant.closed', undefined, 30);
  await live(tasksOf(CALM, 1));
}, 180_000);
