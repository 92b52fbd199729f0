import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { environment } from '../environment.mjs';
import { layout, projectNode } from '../layout.mjs';
import { birthOf } from '../pidfiles.mjs';
import { Supervised } from '../supervised.mjs';
import { until } from '../until.mjs';

describe('a supervised process', () => {
  let dirs;
  let lines;
  let started;

  beforeEach(() => {
    dirs = layout(mkdtempSync(join(tmpdir(), 'mayfly-supervised-')));
    lines = [];
    started = [];
  });

  afterEach(async () => {
    await Promise.all(started.map((process) => process.stop()));
    rmSync(dirs.home, { recursive: true, force: true });
  });

  /** A process that runs `program`; it is ready when it has printed `ready`. */
  function supervised(program, options) {
    const process = new Supervised({
      name: 'sample',
      dirs,
      command: projectNode,
      args: ['-e', program],
      env: environment(),
      ready: () => readFileSync(join(dirs.logs, 'sample.log'), 'utf8').includes('ready'),
      log: (line) => lines.push(line),
      ...options,
    });
    started.push(process);
    return process;
  }

  const STAYS = `console.log('ready'); setInterval(() => {}, 1000)`;

  test('is started again when it dies', async () => {
    const process = await supervised(STAYS).start();
    const first = process.pid;
    await process.kill();
    const second = await until(() => process.pid, { what: 'the second life', seconds: 10 });
    expect(second).not.toBe(first);
    expect(lines[0]).toBe('sample ended (SIGKILL); starting it again');
  });

  test('is not started again once it was stopped, and leaves nothing', async () => {
    const process = await supervised(STAYS).start();
    const { pid } = process;
    await process.stop();
    expect(birthOf(pid)).toBeUndefined();
    expect(process.pid).toBeUndefined();
    expect(lines).toEqual([]);
  });

  test('ends what it started too', async () => {
    const program = `const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      console.log('ready', child.pid); setInterval(() => {}, 1000)`;
    const process = await supervised(program).start();
    const grandchild = Number(readFileSync(join(dirs.logs, 'sample.log'), 'utf8').match(/ready (\d+)/)[1]);
    expect(birthOf(grandchild)).toBeDefined();
    await process.stop();
    await until(() => birthOf(grandchild) === undefined, { what: 'the end of what it started', seconds: 5 });
  });

  test('that ignores SIGTERM is killed after its grace time', async () => {
    const process = await supervised(`process.on('SIGTERM', () => {}); ${STAYS}`, { graceMs: 200 }).start();
    const { pid } = process;
    await process.stop();
    expect(birthOf(pid)).toBeUndefined();
  });

  test('that does not come up is given up soon, with the end of what it said', async () => {
    const process = supervised(`console.error('no such config'); process.exit(3)`);
    await expect(process.start()).rejects.toThrow(/sample: it ended 3 times; its log ends with\nno such config/);
  });

  test('can be stopped while it still starts', async () => {
    const ending = new AbortController();
    const process = supervised(`setInterval(() => {}, 1000)`, { signal: ending.signal });
    const starting = process.start();
    ending.abort();
    await expect(starting).rejects.toThrow('sample: stopped');
    expect(process.pid).toBeUndefined();
  });
});
