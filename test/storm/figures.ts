/** Figures of a storm. */
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

/** Resident memory in MiB, by process. */
export async function memoryOf(processes: ReadonlyMap<string, StackProcess>): Promise<Record<string, number>> {
  const byPid = new Map([...processes.values()].flatMap(({ name, pid }) => (pid ? [[pid, name] as const] : [])));
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,rss=', '-p', [...byPid.keys()].join(',')]);
  const found = stdout.trim().split('\n');
  return Object.fromEntries(
    found.map((line) => {
      const [pid = 0, kib = 0] = line.trim().split(/\s+/).map(Number);
      return [byPid.get(pid) ?? String(pid), Math.round(kib / 1024)];
    }),
  );
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
