import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Faults, figure, secondsOf, secondsSince } from '../../world/faults.js';
import { until, World } from '../../world/world.js';

const TASKS = 5;
/** What the invariants promise: this long after the end of an outage all that waited is done. */
const DRAINED_SECONDS = 15;

let world: World;
let faults: Faults;
let stub: Server;
/** How a proxy in Vault's place answers everything. */
let answer: { status: number; body: string };
beforeAll(async () => {
  world = await World.open();
  faults = new Faults(world.dev);
  stub = createServer((_request, response) => response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body));
  await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve));
  await faults.mend();
}, 120_000);
afterEach(() => faults.mend(), 120_000);
afterAll(async () => {
  stub?.closeAllConnections();
  stub?.close();
  await faults?.close();
  await world?.close();
});

const answers = async (status: number, body: object): Promise<void> => {
  answer = { status, body: JSON.stringify(body) };
  await faults.wire('vault').lead((stub.address() as AddressInfo).port);
};
const started = async () => {
  const taskId = await world.start('orders-db.read');
  return { taskId, secret: (await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 })).data };
};

describe('Vault', () => {
  test.each<[string, () => Promise<void> | void]>([
    ['is gone', () => faults.wire('vault').cut()],
    ['hangs: connections open, nothing comes', () => faults.wire('vault').hang()],
    ['is stopped: the process is there and does nothing', () => faults.stop('openbao')],
    ['is slower than anybody waits', () => faults.wire('vault').slow(6_000)],
    ['breaks connections off before each answer', () => faults.wire('vault').reset()],
    ['is sealed', () => answers(503, { errors: ['Vault is sealed'] })],
    ['asks for patience (429)', () => answers(429, { errors: ['request path quota exceeded'] })],
    ['fails (500)', () => answers(500, { errors: ['internal error'] })],
    ['answers 200 with a page that is not Vault’s', () => answers(200, { hello: 'proxy', data: { username: 'u', password: 'p' } })],
  ])(
    '%s: nothing is handed out, ends are noted, and all of it drains by itself afterwards',
    async (how, breakIt) => {
      const live = await Promise.all(Array.from({ length: TASKS }, started));
      const kept = await world.start('orders-db.read');
      await world.event(kept, 'credential.issued');
      const pids = faults.pids();
      await breakIt();

      const refused = await world.ask(`/v1/tasks/${kept}/secrets/orders-db`);
      expect([refused.status, refused.body]).toMatchObject([503, { code: 'vault-unavailable' }]);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.stringify(refused.body)).not.toContain('password');

      for (const { taskId } of live) await world.end(taskId);
      for (const { taskId } of live) await world.event(taskId, 'credential.revocation-requested');
      expect(await world.ask(`/v1/tasks/${live[0]?.taskId}/secrets/orders-db`)).toMatchObject({ status: 410 });
      const waiting = await Promise.all(Array.from({ length: TASKS }, () => world.start('orders-db.read')));
      for (const taskId of waiting) await world.event(taskId, 'grant.issued');

      for (const service of ['delivery', 'revoker', 'issuer']) {
        const ready = await faults.says(service, 'readyz');
        expect(ready.seconds).toBeLessThan(3);
        expect([ready.status, ready.parts['ledger']?.status]).toEqual([503, 'ok']);
        expect(ready.parts['vault']?.status).toMatch(/^(vault-unavailable|slow)$/);
        expect((await faults.says(service, 'healthz')).status).toBe(200);
      }
      expect([...live, { taskId: waiting[0] as string }].flatMap(({ taskId }) => world.eventsOf(taskId, 'credential.revoked'))).toEqual([]);

      const since = performance.now();
      await faults.mend();
      for (const { taskId } of live) await world.event(taskId, 'credential.revoked', () => true, DRAINED_SECONDS);
      const ended = secondsSince(since);
      for (const taskId of waiting) await world.agent().secret(taskId, 'orders-db', { waitSeconds: DRAINED_SECONDS });
      const drained = secondsSince(since);
      expect(drained).toBeLessThan(DRAINED_SECONDS);
      for (const { secret } of live) expect(await world.isRefused(secret)).toBe(true);
      expect((await world.ask(`/v1/tasks/${kept}/secrets/orders-db`)).status).toBe(200);
      expect(faults.pids()).toEqual(pids); // nobody had to be restarted
      figure(`${how}: ${TASKS} ends proven ${ended} s, ${TASKS} starts fetched as well ${drained} s after the fault ended`);
      for (const taskId of [...waiting, kept]) await world.end(taskId);
      for (const taskId of [...waiting, kept]) await world.event(taskId, 'grant.closed');
    },
    120_000,
  );

  test('killed under load: what was asked for comes true after its return', async () => {
    const live = await Promise.all(Array.from({ length: TASKS }, started));
    faults.kill('openbao');
    for (const { taskId } of live) await world.end(taskId);
    const waiting = await Promise.all(Array.from({ length: TASKS }, () => world.start('orders-db.read')));
    const back = await secondsOf(() => faults.ready('revoker'));
    const ended = await secondsOf(async () => {
      for (const { taskId } of live) await world.event(taskId, 'credential.revoked', () => true, DRAINED_SECONDS);
      for (const taskId of waiting) await world.agent().secret(taskId, 'orders-db', { waitSeconds: DRAINED_SECONDS });
    });
    for (const { secret } of live) expect(await world.isRefused(secret)).toBe(true);
    figure(`killed: back after ${back} s, everything done ${ended} s later`);
    for (const taskId of waiting) await world.end(taskId);
    for (const taskId of waiting) await world.event(taskId, 'grant.closed');
  }, 120_000);
});

test('what Vault made whose answer was lost is found at the target and ended', async () => {
  const rounds = 12;
  const tasks: string[] = [];
  const before = new Set(await faults.principals());
  const left = async (): Promise<string[]> => (await faults.principals()).filter((name) => !before.has(name));
  let most = 0;
  for (let round = 0; round < rounds; round += 1) {
    const batch = await Promise.all(Array.from({ length: 4 }, () => world.start('orders-db.read')));
    tasks.push(...batch);
    // Somewhere between the first call of a mint and its last.
    await new Promise((resolve) => setTimeout(resolve, round * 12));
    await faults.wire('vault.issuer').limitData(round % 2 === 0 ? 0 : 400);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await faults.wire('vault.issuer').mend();
    most = Math.max(most, (await left()).length);
  }
  await faults.mend();
  for (const taskId of tasks) await world.end(taskId);
  const seconds = await secondsOf(() =>
    until('no database user is left', async () => ((await left()).length === 0 ? true : undefined), 60),
  );
  for (const taskId of tasks) await world.event(taskId, 'grant.closed', () => true, 60);
  figure(`answers lost: ${rounds} cuts, up to ${most} database users at once, none left ${seconds} s after the last end`);
}, 240_000);
