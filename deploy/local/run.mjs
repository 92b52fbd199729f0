/** Running one command to its end, with its output kept in a log. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dieWithUs, isGone, signalGroup } from './pidfiles.mjs';

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ what: string, logFile: string, env: object, cwd?: string, signal?: AbortSignal }} options `env` is the whole environment
 * @throws Error naming `what`, with the end of its output, when it fails
 */
export async function run(command, args, { what, logFile, env, cwd, signal }) {
  signal?.throwIfAborted();
  const output = openSync(logFile, 'w', 0o600);
  // A group of its own, so that everything it started ends with it.
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const end = () => signalGroup(child.pid, 'SIGKILL');
  signal?.addEventListener('abort', end);
  if (child.pid) dieWithUs(child.pid);
  const how = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, by) => resolve(by ?? code));
  });
  isGone(child.pid);
  signal?.removeEventListener('abort', end);
  signal?.throwIfAborted();
  if (how === 0) return;
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  const errors = lines.filter((line) => /error\b.*\w/i.test(line) && !/^\s+at /.test(line));
  const shown = (errors.length > 0 ? errors.slice(0, 8) : lines.slice(-15)).join('\n');
  throw new Error(`${what} failed (${how}), see ${logFile}:\n${shown}`);
}
