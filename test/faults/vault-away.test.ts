/** The guarantee: while the secrets engine does not answer, an ended task's login dies at its target all the same, and nothing calls it revoked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until, World } from '../world/world.js';

const REVOKED = 'credential.revoked';
let world: World;
let openbao: number;
beforeAll(async () => {
  world = await World.open();
  openbao = (JSON.parse(readFileSync(join(world.dev.home, 'run', 'openbao.json'), 'utf8')) as { pid: number }).pid;
}, 60_000);
afterAll(async () => {
  process.kill(openbao, 'SIGCONT');
  await world?.close();
});

test('a task ends while Vault hangs: its session is thrown out and its login refused within 15 s; revoked is said when Vault is back', async () => {
  const taskId = await world.start('orders-db.read');
  const { data } = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  const session = world.login(data);
  await session.run('', 'select 1');

  process.kill(openbao, 'SIGSTOP');
  const endedAt = Date.now();
  await world.end(taskId);
  await until(
    'the open session is thrown out',
    () =>
      session.run('', 'select 1').then(
        () => undefined,
        () => true,
      ),
    15,
  );
  await until('the login is refused', async () => (await world.isRefused(data)) || undefined, 15);
  expect(Date.now() - endedAt).toBeLessThan(15_000);
  await until('the timeline says so', async () => {
    const { entries } = (await world.operate(`/v1/tasks/${taskId}/timeline`)).body as { entries: { kind: string }[] };
    return entries.some(({ kind }) => kind === 'dev.mayfly.evidence.credential-quarantined.v1') || undefined;
  });
  expect(world.eventsOf(taskId, REVOKED)).toEqual([]);

  process.kill(openbao, 'SIGCONT');
  const { data: revoked } = await world.event(taskId, REVOKED, undefined, 90);
  expect(revoked).toMatchObject({ proof: { lease: 'vault: invalid lease', target: expect.stringContaining('0 login roles') } });
  await session.close();
}, 180_000);
