/** Time on processors, finely enough for what is idle. */
import { readdirSync, readFileSync } from 'node:fs';
import type { StackProcess } from '../../deploy/local/stack.mjs';
import { usageOf } from '../world/figures.ts';

/** Linux counts in hundredths of a second, whatever its own clock does. */
const TICKS_PER_SECOND = 100;

/** Seconds that each process has used so far, with all that it started, also what has ended. */
export async function cpuOf(processes: ReadonlyMap<string, StackProcess>): Promise<Record<string, number>> {
  if (process.platform !== 'linux')
    return Object.fromEntries(Object.entries(await usageOf(processes)).map(([name, { cpu }]) => [name, cpu]));
  const stats = new Map(readdirSync('/proc').flatMap(statOf));
  const names = new Map([...processes.values()].flatMap(({ name, pid }) => (pid ? [[pid, name] as const] : [])));
  const used: Record<string, number> = {};
  for (const [pid, { ticks }] of stats) {
    let at: number | undefined = pid;
    while (at !== undefined && at > 1 && !names.has(at)) at = stats.get(at)?.parent;
    const name = at === undefined ? undefined : names.get(at);
    if (name) used[name] = (used[name] ?? 0) + ticks / TICKS_PER_SECOND;
  }
  return used;
}

function statOf(entry: string): (readonly [number, { readonly parent: number; readonly ticks: number }])[] {
  if (!/^\d+$/.test(entry)) return [];
  try {
    const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; then state, parent, …, and from the fourteenth field on: user, system, and both of children that were waited for.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + each, 0);
    return [[Number(entry), { parent: fields[1] ?? 0, ticks }]];
  } catch {
    return [];
  }
}

/** What was used between two looks, by process. */
export const usedBetween = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));

/** For people: what each process used of one piece of work, in milliseconds, the most first; what is next to nothing is left out. */
export function perPiece(used: Readonly<Record<string, number>>, pieces: number): string {
  const each = Object.entries(used)
    .map(([name, seconds]) => [name, (seconds * 1_000) / pieces] as const)
    .filter(([, milliseconds]) => milliseconds >= 0.02)
    .sort((a, b) => b[1] - a[1]);
  const all = each.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
  return `${all.toFixed(2)} ms (${each.map(([name, milliseconds]) => `${name} ${milliseconds.toFixed(2)}`).join(', ')})`;
}

/** Adds up what several rounds have used. */
function addUsed(sum: Record<string, number>, used: Readonly<Record<string, number>>): void {
  for (const [name, seconds] of Object.entries(used)) sum[name] = (sum[name] ?? 0) + seconds;
}

/** Processes of a stack, and this one, which makes the load. */
const withThis = (processes: ReadonlyMap<string, StackProcess>): ReadonlyMap<string, StackProcess> =>
  new Map([...processes, ['load', { name: 'load', pid: process.pid } as StackProcess]]);

/** Does something, and adds what every process, this one too, has used meanwhile. */
export async function using<T>(
  stack: { readonly processes: ReadonlyMap<string, StackProcess> },
  sum: Record<string, number>,
  work: () => Promise<T>,
): Promise<T> {
  const processes = withThis(stack.processes);
  const before = await cpuOf(processes);
  const result = await work();
  addUsed(sum, usedBetween(before, await cpuOf(processes)));
  return result;
}
