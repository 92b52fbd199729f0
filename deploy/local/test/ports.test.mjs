import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort, freePorts, HOST, rememberedPorts, usualPorts } from '../ports.mjs';

describe('ports', () => {
  let folder;
  let blocker;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mayfly-ports-'));
    blocker = createServer().listen(0, HOST);
    await once(blocker, 'listening');
  });

  afterEach(() => {
    blocker.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a free port that is preferred is taken, a taken one is avoided', async () => {
    const free = await freePort();
    expect(await freePorts({ a: free, b: blocker.address().port })).toEqual({ a: free, b: expect.any(Number) });
    expect((await freePorts({ b: blocker.address().port })).b).not.toBe(blocker.address().port);
  });

  test('no two parts get the same port', async () => {
    const ports = Object.values(await freePorts(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`part${n}`, 0]))));
    expect(new Set(ports).size).toBe(40);
  });

  test('a second start gets the ports of the first, but for one that is taken by then', async () => {
    const file = join(folder, 'ports.json');
    const first = await rememberedPorts(file, false);
    expect(Object.keys(first)).toEqual(Object.keys(usualPorts));
    expect(await rememberedPorts(file, false)).toEqual(first);

    const taken = createServer().listen(first.kafka, HOST);
    await once(taken, 'listening');
    const third = await rememberedPorts(file, false);
    taken.close();
    expect(third).toEqual({ ...first, kafka: expect.any(Number) });
    expect(third.kafka).not.toBe(first.kafka);
  });
});
