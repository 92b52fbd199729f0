import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { cache } from '../layout.mjs';
import * as toxiproxy from '../servers/toxiproxy.mjs';
import { connectWires } from '../wires.mjs';

const there = existsSync(join(cache, 'toxiproxy', 'server')); // fetched with `npm test`, not with `npm start`

(there ? describe : describe.skip)('wires', () => {
  let home, proxy, server, wire;
  let asked = 0;

  const ask = (name) =>
    fetch(`http://127.0.0.1:${proxy.listening[name]}/`, { signal: AbortSignal.timeout(1_000) }).then((answer) => answer.text());

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-wires-'));
    server = createServer((_request, response) => {
      asked += 1;
      response.end('here');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    proxy = await toxiproxy.start({ home, wires: { 'vault.a': port, 'vault.b': port, kafka: port } });
    wire = connectWires(proxy.url);
  }, 30_000);
  afterEach(async () => {
    for (const name of ['vault', 'kafka']) await wire(name).mend();
  });
  afterAll(async () => {
    await proxy?.stop();
    server?.close();
    rmSync(home, { recursive: true, force: true });
  });

  test('a cut wire refuses; its neighbours and the mended one answer', async () => {
    await wire('vault').cut();
    await expect(ask('vault.a')).rejects.toThrow();
    await expect(ask('vault.b')).rejects.toThrow();
    expect(await ask('kafka')).toBe('here');
    await wire('vault.b').mend();
    expect(await ask('vault.b')).toBe('here');
    await expect(ask('vault.a')).rejects.toThrow();
  });

  test('a slow wire answers later, a hanging one never', async () => {
    await wire('kafka').slow(300);
    const since = Date.now();
    expect(await ask('kafka')).toBe('here');
    expect(Date.now() - since).toBeGreaterThanOrEqual(290);
    await wire('kafka').hang();
    await expect(ask('kafka')).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test.each([
    ['reset', (it) => it.reset()],
    ['limited to no data', (it) => it.limitData(0)],
  ])('a wire that is %s lets what is asked take effect and loses the answer', async (_name, breakIt) => {
    await breakIt(wire('kafka'));
    const before = asked;
    await expect(ask('kafka')).rejects.toThrow();
    expect(asked).toBeGreaterThan(before);
  });

  test('a wire can be led elsewhere and back', async () => {
    const other = createServer((_request, response) => response.end('elsewhere'));
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
    await wire('kafka').lead(other.address().port);
    expect(await ask('kafka')).toBe('elsewhere');
    await wire('kafka').mend();
    expect(await ask('kafka')).toBe('here');
    other.closeAllConnections();
    other.close();
  });

  test('a wire that there is not is no silent success', async () => {
    await expect(wire('valt').cut()).rejects.toThrow('no wire is called valt; there are');
  });
});
