import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { birthOf, claim, livingPid, reap, remember } from '../pidfiles.mjs';

describe('pid files', () => {
  let run;
  let sleeper;

  beforeEach(() => {
    run = mkdtempSync(join(tmpdir(), 'mayfly-run-'));
    sleeper = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  });

  afterEach(() => {
    sleeper.kill('SIGKILL');
    rmSync(run, { recursive: true, force: true });
  });

  const rewrite = (name, change) => {
    const file = join(run, `${name}.json`);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }));
  };

  test('what a killed launcher left is ended', async () => {
    remember(run, 'kafka', sleeper.pid);
    expect(await reap(run)).toEqual(['kafka']);
    expect(birthOf(sleeper.pid)).toBeUndefined();
  });

  test('a foreign process that has the number now is not touched', async () => {
    remember(run, 'kafka', sleeper.pid);
    rewrite('kafka', { birth: 'long ago' });
    expect(livingPid(run, 'kafka')).toBeUndefined();
    expect(await reap(run)).toEqual([]);
    expect(birthOf(sleeper.pid)).toBeDefined();
  });

  test('a home has one launcher at a time, and a dead one does not keep it', () => {
    remember(run, 'launcher', sleeper.pid);
    expect(() => claim(run)).toThrow(`Mayfly already runs here (process ${sleeper.pid}); end that one first`);
    rewrite('launcher', { birth: 'long ago' });
    claim(run);
    expect(livingPid(run, 'launcher')).toBe(process.pid);
  });
});
