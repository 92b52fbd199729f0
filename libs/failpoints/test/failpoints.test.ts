import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'failpoints-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a process that passes C6 and C7 and says so; gives back what it said and how it ended. */
async function passing(armed: boolean): Promise<{ said: string; signal: NodeJS.Signals | null }> {
  const source = new URL('../src/index.ts', import.meta.url).href;
  const script = `
    import { armFailpoints, failpoint } from '${source}';
    if (${armed}) armFailpoints(process.argv[1]);
    for (const point of ['C6', 'C7']) { failpoint(point); console.log(point); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => (said += String(text)));
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_code, how) => resolve(how)));
  return { said: said.trim().replaceAll('\n', ' '), signal };
}

describe('failpoints', () => {
  it('do nothing in a process that was not told of a directory', async () => {
    writeFileSync(join(directory, 'C7'), 'SIGKILL');
    expect(await passing(false)).toEqual({ said: 'C6 C7', signal: null });
    expect(existsSync(join(directory, 'C7'))).toBe(true);
  });

  it('kill the process at the moment that was armed, once', async () => {
    writeFileSync(join(directory, 'C7'), 'SIGKILL');
    expect(await passing(true)).toEqual({ said: 'C6', signal: 'SIGKILL' });
    expect(await passing(true)).toEqual({ said: 'C6 C7', signal: null });
  });
});
