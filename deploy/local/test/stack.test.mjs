import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { birthOf } from '../pidfiles.mjs';
import { sweep } from '../servers/postgres-place.mjs';
import { startStack } from '../stack.mjs';
import { answers } from '../until.mjs';

/** The real servers without Mayfly's services. */
describe('the local stack', () => {
  let home;
  let stack;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-stack-'));
    stack = await startStack({ home, services: false });
  }, 180_000);

  afterAll(async () => {
    await stack?.stop();
    rmSync(home, { recursive: true, force: true });
    sweep();
  }, 60_000);

  test('says where everything is', () => {
    expect(JSON.parse(readFileSync(join(home, 'dev.json'), 'utf8'))).toMatchObject({
      kafka: { brokers: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)] },
      vault: { address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) },
      postgres: { url: expect.stringMatching(/^postgres:\/\/mayfly_owner:/) },
      delivery: { url: expect.any(String) },
      console: { url: expect.any(String) },
      trustDomain: 'example.org',
      issuer: { url: expect.any(String) },
    });
  });

  test('a second launcher is refused the home', async () => {
    // This process has the home, so it is another one that must ask.
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const start = join(import.meta.dirname, '..', 'start.mjs');
    const asking = promisify(execFile)(process.execPath, [start], { env: { ...process.env, MAYFLY_HOME: home } });
    await expect(asking).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('Mayfly already runs here') });
  });

  test.each(['openbao', 'postgres', 'kafka'])(
    '%s comes back after kill -9',
    async (name) => {
      const server = stack.processes.get(name);
      const before = server.pid;
      await stack.kill(name);
      await server.ready();
      expect(server.pid).not.toBe(before);
      if (name === 'openbao') expect(await answers(`${stack.dev.vault.address}/v1/sys/health`)).toBe(true);
    },
    60_000,
  );

  test('leaves nothing running when it is stopped', async () => {
    const pids = [...stack.processes.values()].map(({ pid }) => pid);
    expect(pids).toHaveLength(5);
    await stack.stop();
    expect(pids.filter((pid) => birthOf(pid) !== undefined)).toEqual([]);
    expect(existsSync(join(home, 'dev.json'))).toBe(false);
  }, 60_000);
});
