/** Figures of storms and benchmarks: how durations spread, what processes use. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { StackProcess } from '../../deploy/local/stack.mjs';

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Of durations in milliseconds; in seconds with two decimals. */
export function spreadOf(milliseconds: readonly number[]): Spread {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (part: number): number => seconds(sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export const seconds = (milliseconds: number): number => Math.round(milliseconds / 10) / 100;

/** What a process has used: resident memory in MiB, time on processors in seconds. */
export interface Usage {
  readonly mib: number;
  readonly cpu: number;
}

/** By process, with all that it started. */
export async function usageOf(processes: ReadonlyMap<string, StackProcess>): Promise<Record<string, Usage>> {
  const names = new Map([...processes.values()].flatMap(({ name, pid }) => (pid ? [[pid, name] as const] : [])));
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,rss=,cputimes=']);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const parentOf = new Map(rows.map(([pid = 0, ppid = 0]) => [pid, ppid]));
  const owner = (pid: number): string | undefined => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parentOf.get(at)) if (names.has(at)) return names.get(at);
    return undefined;
  };
  const found: Record<string, Usage> = {};
  for (const [pid = 0, , kib = 0, cpu = 0] of rows) {
    const name = owner(pid);
    if (!name) continue;
    // Shared memory counts once: the first process has it.
    const { mib, cpu: before } = found[name] ?? { mib: Math.round(kib / 1024), cpu: 0 };
    found[name] = { mib, cpu: before + cpu };
  }
  return found;
}

/** The highest values that some gauges of a service showed. */
export class Peaks {
  readonly highest: Record<string, number> = {};
  readonly #timer: NodeJS.Timeout;

  constructor(url: string, gauges: readonly string[]) {
    const look = async (): Promise<void> => {
      const text = await (await fetch(`${url}/metrics`)).text();
      for (const gauge of gauges) {
        const value = Number(new RegExp(`^${gauge}(?:\\{[^}]*\\})? ([\\d.]+)`, 'm').exec(text)?.[1] ?? 0);
        this.highest[gauge] = Math.max(this.highest[gauge] ?? 0, value);
      }
    };
    this.#timer = setInterval(() => void look().catch(() => undefined), 500);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
