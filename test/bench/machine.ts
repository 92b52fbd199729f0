/** On what it was measured. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { root } from '../../deploy/local/layout.mjs';
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

export const machineOf = (loadBefore: readonly number[], commit: Commit, versions: Machine['versions']): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGiB: totalmem() / 2 ** 30,
  loadBefore,
  loadAfter: loadNow(),
  versions: {
    node: process.versions.node,
    mayfly: `${commit.id ?? 'unknown'}${commit.changed ? ' with changes' : ''}`,
    ...versions,
    ...pinned(),
  },
});

/** What the servers of a stack say they are. */
export async function versionsOf(stack: BenchStack): Promise<Record<string, string>> {
  const vault = await stack.bareVault('issuer', 1);
  const { version } = await vault.read('sys/health');
  await vault.close();
  const [postgres] = await stack.ledger.run<{ server_version: string }>('', 'show server_version');
  return { openbao: String(version), postgres: postgres?.server_version ?? 'unknown' };
}

/** What is taken at one exact version, by the file that says so. */
const PINS: Readonly<Record<string, readonly [file: string, pin: RegExp]>> = {
  kafka: ['deploy/kafka/pom.xml', /<artifactId>kafka_[\d.]+<\/artifactId>\s*<version>([^<]+)/],
  opa: ['deploy/local/install.mjs', /\/opa@v([\d.]+)/],
  cedar: ['libs/policy/package.json', /"@cedar-policy\/cedar-wasm": "([^"]+)"/],
  kafkajs: ['libs/kafka/package.json', /"kafkajs": "([^"]+)"/],
  'node-vault': ['libs/vault/package.json', /"node-vault": "([^"]+)"/],
  nest: ['libs/http/package.json', /"@nestjs\/core": "([^"]+)"/],
};

const pinned = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(PINS).map(([name, [file, pin]]) => [name, pin.exec(readFileSync(join(root, file), 'utf8'))?.[1] ?? 'unknown']),
  );

/** What of Mayfly is measured. */
export interface Commit {
  /** Undefined where git knows none. */
  readonly id: string | undefined;
  /** Whether something differs from it, or is not in it. */
  readonly changed: boolean;
}

/** What is checked out, to be asked before anything is measured. What is published is no part of what is measured. */
export function commitNow(): Commit {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return { id: git('rev-parse', '--short', 'HEAD'), changed: git('status', '--porcelain', '--', '.', ':!docs') !== '' };
  } catch {
    return { id: undefined, changed: false };
  }
}
