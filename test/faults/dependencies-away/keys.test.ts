import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Faults, figure } from '../../world/faults.js';
import { ETL, until, World } from '../../world/world.js';

let world: World;
let faults: Faults;
let stub: Server;
let asked = 0;
/** What stands in the place of whoever publishes the keys. */
let answer: (response: ServerResponse) => void;
beforeAll(async () => {
  world = await World.open();
  faults = new Faults(world.dev);
  stub = createServer((_request, response) => {
    asked += 1;
    answer(response);
  });
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

const lead = (): Promise<void> => faults.wire('identity').lead((stub.address() as AddressInfo).port);
/** Whether delivery believes an agent: it finds the task, whatever else. */
const believes = async (bearer?: string): Promise<number> =>
  (await world.ask(`/v1/tasks/${world.newTaskId()}`, { ...(bearer && { bearer }) })).status;
/** A well-made token under a key that nobody published. */
const stranger = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key: JWK = { ...(await exportJWK(privateKey)), kid: `unknown-${asked}-${Math.random()}`, alg: 'ES256' };
  return world.agentToken(ETL, {}, key);
};

test.each<[string, () => Promise<void>]>([
  ['are gone', () => faults.wire('identity').cut()],
  ['never come', () => faults.wire('identity').hang()],
  [
    'lead elsewhere',
    async () => {
      answer = (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
      await lead();
    },
  ],
])(
  'the keys %s: agents are known all the same by the keys that were there, strangers are not, and the source is not flooded',
  async (how, breakIt) => {
    expect(await believes()).toBe(404);
    await breakIt();
    asked = 0;
    // Keys are looked up again once in half a minute. What else may be found there is tried in libs/identity.
    if (how === 'lead elsewhere')
      await until('the source was asked', async () => ((await believes(await stranger())) === 401 && asked > 0 ? true : undefined), 45);
    const answers = await Promise.all(Array.from({ length: 25 }, async () => believes(await stranger())));
    expect(new Set(answers)).toEqual(new Set([401]));
    expect(await believes()).toBe(404);
    // One for them, and perhaps the one that was due anyhow.
    expect(asked).toBeLessThanOrEqual(2);
    for (const path of ['healthz', 'readyz'] as const) expect((await faults.says('delivery', path)).status).toBe(200);
    figure(`${how}: 25 unknown keys cost ${asked} look-ups`);
  },
  90_000,
);

test('a delivery that starts while nobody publishes keys believes nobody, and everybody again once the keys are there', async () => {
  await faults.wire('identity').cut();
  const before = faults.pid('delivery');
  faults.kill('delivery');
  const said = await until(
    'delivery is there and not able',
    () =>
      faults.says('delivery', 'readyz').then(
        (answer) => (answer.parts['identity']?.status === 'keys-unavailable' ? answer : undefined),
        () => undefined,
      ),
    30,
  );
  expect([said.status, (await faults.says('delivery', 'healthz')).status]).toEqual([503, 200]);
  expect(faults.pid('delivery')).not.toBe(before);
  expect(await believes()).not.toBe(404);
  await faults.wire('identity').mend();
  await until('agents are known again', async () => ((await believes()) === 404 ? true : undefined), 15);
}, 90_000);
