/**
 * Remembers which processes are ours, so that a launcher that was killed leaves nothing for ever:
 * the next one ends what it finds. A process is known by its number *and* its birth, since numbers are used again.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.mjs';

/** What tells a process from a later one with the same number; undefined when there is none (a zombie counts as none). */
export function birthOf(pid) {
  try {
    if (!existsSync('/proc/self/stat')) return execFileSync('ps', ['-o', 'lstart=', '-p', pid], { encoding: 'utf8' }).trim();
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    if (state === 'Z') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[18]}`;
  } catch {
    return undefined;
  }
}

const fileOf = (run, name) => join(run, `${name}.json`);

/** Writes down a process that was started. */
export function remember(run, name, pid) {
  writeFileSync(fileOf(run, name), JSON.stringify({ pid, birth: birthOf(pid) }), { mode: 0o600 });
}

/** Forgets a process that has ended. */
export function forget(run, name) {
  rmSync(fileOf(run, name), { force: true });
}

/** The number of the remembered process while it lives. */
export function livingPid(run, name) {
  try {
    const { pid, birth } = JSON.parse(readFileSync(fileOf(run, name), 'utf8'));
    return birth !== undefined && birthOf(pid) === birth ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The processes of this launcher that live now. However it exits (but by SIGKILL), they do not outlive it. */
const ours = new Set();
process.on('exit', () => ours.forEach((pid) => signalGroup(pid, 'SIGKILL')));
export const dieWithUs = (pid) => ours.add(pid);
export const isGone = (pid) => ours.delete(pid);

/** Signals a process and the group it leads; a process that is gone is no error. */
export function signalGroup(pid, signal) {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/**
 * Takes a home for this launcher.
 * @throws Error when another launcher that lives has it
 */
export function claim(run) {
  const holder = livingPid(run, 'launcher');
  if (holder === process.pid) return;
  if (holder !== undefined) throw new Error(`Mayfly already runs here (process ${holder}); end that one first`);
  remember(run, 'launcher', process.pid);
}

/** Ends every remembered process that still lives. Gives back their names. */
export async function reap(run) {
  const names = readdirSync(run)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((name) => name !== 'launcher');
  const left = names.filter((name) => livingPid(run, name) !== undefined);
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const living = () => left.filter((name) => livingPid(run, name) !== undefined);
    living().forEach((name) => signalGroup(livingPid(run, name), signal));
    await until(() => living().length === 0, { what: 'left-over processes', seconds: 5 }).catch(() => undefined);
  }
  names.forEach((name) => forget(run, name));
  return left;
}
