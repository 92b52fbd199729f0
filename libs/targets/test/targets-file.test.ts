import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BadConfig } from '@mayfly/domain';
import { readTargets } from '@mayfly/targets';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-targets-'));
});
afterAll(() => rm(folder, { recursive: true }));

const GOOD = { kind: 'postgres', connection: { host: '127.0.0.1', port: 5432, database: 'orders' } };

async function read(content: unknown, mode = 0o600) {
  const path = join(folder, 'targets.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  await chmod(path, mode);
  return readTargets(path);
}

describe('the targets file', () => {
  test('is read as it is', async () => {
    const orders = { ...GOOD, probeUrl: 'postgres://probe:hunter2@127.0.0.1/orders' };
    expect(await read({ orders, other: GOOD })).toEqual({ orders, other: GOOD });
    expect(await read({})).toEqual({});
  });

  test('[bad 78] that holds logins is refused while everybody may read it; one without may be public', async () => {
    const orders = { ...GOOD, probeUrl: 'postgres://probe:hunter2@127.0.0.1/orders' };
    await expect(read({ orders }, 0o644)).rejects.toThrow(/everybody may read .*targets\.json.*0600/);
    await expect(read({ orders: GOOD }, 0o644)).resolves.toEqual({ orders: GOOD });
    await expect(read({ orders }, 0o640)).resolves.toEqual({ orders });
  });

  test.each<[string, unknown, string]>([
    ['an unknown kind', { orders: { ...GOOD, kind: 'hunter2' } }, 'orders.kind'],
    ['a wrong port', { orders: { ...GOOD, connection: { ...GOOD.connection, port: 'hunter2' } } }, 'orders.connection.port'],
    ['a missing host', { orders: { ...GOOD, connection: { port: 1, database: 'x' } } }, 'orders.connection.host'],
    ['an empty probe login', { orders: { ...GOOD, probeUrl: '' } }, 'orders.probeUrl'],
    ['a key that nobody knows', { orders: { ...GOOD, pasword: 'hunter2' } }, 'orders'],
    ['a target that is none', { orders: 'hunter2' }, 'orders'],
    ['no object at all', ['hunter2'], '(top)'],
  ])('with %s is refused by key, and no value is repeated', async (_, content, key) => {
    const error = await read(content).then(
      () => undefined,
      (refusal: unknown) => refusal,
    );
    expect(error).toBeInstanceOf(BadConfig);
    const { message, stack } = error as Error;
    expect(message).toContain(`wrong at: ${key}`);
    expect(`${message}${stack}`).not.toContain('hunter2');
  });

  test('that is no JSON is refused without repeating it', async () => {
    await expect(read('{ "orders": hunter2 }')).rejects.toThrow(/^(?!.*hunter2).*cannot be read as JSON; check MAYFLY_TARGETS_FILE$/);
  });

  test('that is not there is refused by its path', async () => {
    await expect(readTargets('/nowhere/targets.json')).rejects.toThrow('/nowhere/targets.json');
  });
});
