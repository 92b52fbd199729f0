/** On what it was measured. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import type { BenchStack } from './bench-stack.ts';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  /** Averages of one, five and fifteen minutes. */
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
}

export const loadNow = (): number[] => loadavg();

export const machineOf = (loadBefore: readonly number[], versions: Machine['versions']): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: totalmem() / 2 ** 30,
  loadBefore,
  loadAfter: loadNow(),
  versions: { node: process.versions.node, mayfly: commit(), ...versions },
});

/** What the servers of a stack say they are. */
export async function versionsOf(stack: BenchStack): Promise<Record<string, string>> {
  const vault = await stack.bareVault('issuer', 1);
  const { version } = await vault.read('sys/health');
  await vault.close();
  const [postgres] = await stack.ledger.run<{ server_version: string }>('', 'show server_version');
  const pom = readFileSync(new URL('../../deploy/kafka/pom.xml', import.meta.url), 'utf8');
  return {
    openbao: String(version),
    postgres: postgres?.server_version ?? 'unknown',
    kafka: /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1] ?? 'unknown',
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
}
