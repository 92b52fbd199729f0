/**
 * Resident memory of every service process over time, and whether it grows.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { StackProcess } from '../../deploy/local/stack.mjs';

/** A young process still loads and compiles: its growth says nothing, in seconds. */
const WARM_AFTER_SECONDS = 120;
const EVERY_MS = 5_000;

interface Life {
  readonly service: string;
  readonly bornAt: number;
  /** Age in seconds, resident memory in MiB. */
  readonly samples: { readonly age: number; readonly mib: number }[];
}

/** Growth of one service's memory. */
export interface Growth {
  readonly lives: number;
  readonly samples: number;
  /** Longest life that was watched, in minutes. */
  readonly minutes: number;
  readonly medianMib: number;
  readonly maxMib: number;
  /** Least squares over all its processes' lives, each measured from its own mean, and without its first third: heaps grow to their size first. */
  readonly mibPerHour: number;
}

export class MemoryWatch {
  readonly #lives = new Map<number, Life>();
  readonly #timer: NodeJS.Timeout;

  constructor(processes: ReadonlyMap<string, StackProcess>, services: readonly string[]) {
    this.#timer = setInterval(() => void this.#sample(processes, services).catch(() => undefined), EVERY_MS);
  }

  stop(): Readonly<Record<string, Growth>> {
    clearInterval(this.#timer);
    const byService = Map.groupBy([...this.#lives.values()], ({ service }) => service);
    return Object.fromEntries([...byService].map(([service, lives]) => [service, growthOf(lives)]));
  }

  async #sample(processes: ReadonlyMap<string, StackProcess>, services: readonly string[]): Promise<void> {
    const pids = new Map<number, string>();
    for (const { name, pid } of processes.values()) {
      const service = name.replace(/-\d+$/, '');
      if (pid && services.includes(service)) pids.set(pid, service);
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,rss=', '-p', [...pids.keys()].join(',')]);
    for (const line of stdout.trim().split('\n')) {
      const [pid = 0, kib = 0] = line.trim().split(/\s+/).map(Number);
      const service = pids.get(pid);
      if (!service) continue;
      const life = this.#lives.get(pid) ?? { service, bornAt: Date.now(), samples: [] };
      this.#lives.set(pid, life);
      const age = (Date.now() - life.bornAt) / 1000;
      if (age >= WARM_AFTER_SECONDS) life.samples.push({ age, mib: kib / 1024 });
    }
  }
}

function growthOf(lives: readonly Life[]): Growth {
  let [covariance, variance] = [0, 0];
  const all: number[] = [];
  for (const life of lives) {
    const lasted = life.samples.at(-1)?.age ?? 0;
    const samples = life.samples.filter(({ age }) => age >= lasted / 3);
    const meanAge = mean(samples.map(({ age }) => age));
    const meanMib = mean(samples.map(({ mib }) => mib));
    for (const { age, mib } of samples) {
      covariance += (age - meanAge) * (mib - meanMib);
      variance += (age - meanAge) ** 2;
      all.push(mib);
    }
  }
  all.sort((a, b) => a - b);
  return {
    lives: lives.length,
    samples: all.length,
    minutes: Math.round(Math.max(0, ...lives.map(({ samples }) => samples.at(-1)?.age ?? 0)) / 60),
    medianMib: Math.round(all[Math.floor(all.length / 2)] ?? 0),
    maxMib: Math.round(all.at(-1) ?? 0),
    mibPerHour: variance === 0 ? 0 : Math.round((covariance / variance) * 3600 * 10) / 10,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
