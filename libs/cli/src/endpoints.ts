/**
 * Where everything is: environment variables first, then what the running local stack wrote to `dev.json`.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NotSetUp } from './errors.js';
import type { Cli } from './cli.js';

/** `.mayfly/dev.json`, as far as the command line reads it (public contract, section 5). */
interface DevFile {
  readonly kafka?: { readonly brokers?: readonly string[]; readonly topicPrefix?: string };
  readonly vault?: { readonly address?: string };
  readonly delivery?: { readonly url?: string };
  readonly console?: { readonly url?: string };
  readonly issuer?: { readonly url?: string };
  readonly zipkin?: { readonly url?: string };
  readonly trustDomain?: string;
  readonly keys?: { readonly agents?: string };
  readonly ports?: Readonly<Record<string, number>>;
}

/** Addresses that are known; what is not known is absent. */
export interface Endpoints {
  readonly brokers?: readonly string[];
  readonly topicPrefix: string;
  readonly delivery?: string;
  readonly console?: string;
  /** The dev profile's identity provider. */
  readonly issuer?: string;
  readonly vault?: string;
  readonly zipkin?: string;
  /** File of the key that signs the dev trust domain's SVIDs. */
  readonly agentKeyFile?: string;
  /** Ports of the local stack's parts, by name. */
  readonly ports: Readonly<Record<string, number>>;
}

const CLONE = fileURLToPath(new URL('../../..', import.meta.url));

/** Reads them. Never throws for what is missing: {@link known} does, where it is needed. */
export function readEndpoints({ env, cwd }: Pick<Cli, 'env' | 'cwd'>): Endpoints {
  const dev = readDevFile(env, cwd);
  const known = {
    brokers: env['KAFKA_BROKERS']?.split(',') ?? dev.kafka?.brokers,
    delivery: env['MAYFLY_DELIVERY_URL'] ?? dev.delivery?.url,
    console: env['MAYFLY_CONSOLE_URL'] ?? dev.console?.url,
    issuer: dev.issuer?.url,
    vault: env['VAULT_ADDR'] ?? dev.vault?.address,
    zipkin: dev.zipkin?.url,
    agentKeyFile: dev.keys?.agents,
  };
  return {
    ...(Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as Partial<Endpoints>),
    topicPrefix: env['KAFKA_TOPIC_PREFIX'] ?? dev.kafka?.topicPrefix ?? 'mayfly',
    ports: dev.ports ?? {},
  };
}

const VARIABLES = {
  brokers: 'KAFKA_BROKERS',
  delivery: 'MAYFLY_DELIVERY_URL',
  console: 'MAYFLY_CONSOLE_URL',
  issuer: 'MAYFLY_DEV_JSON',
  agentKeyFile: 'MAYFLY_DEV_JSON',
} as const;

/** One address that the command cannot do without. @throws NotSetUp */
export function known<Name extends keyof typeof VARIABLES>(endpoints: Endpoints, name: Name): NonNullable<Endpoints[Name]> {
  const value = endpoints[name];
  if (value !== undefined) return value;
  throw new NotSetUp(`no running stack found: start the stack with npm start, or set ${VARIABLES[name]}`);
}

function readDevFile(env: Cli['env'], cwd: string): DevFile {
  const named = env['MAYFLY_DEV_JSON'];
  const file = named === undefined ? findDevFile(env, cwd) : resolve(cwd, named);
  if (file === undefined || (named === undefined && !existsSync(file))) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DevFile;
  } catch {
    throw new NotSetUp(`${file} cannot be read: start the stack with npm start, or correct MAYFLY_DEV_JSON`);
  }
}

/** In the folder of the call or one above it, else in the clone that this command belongs to. */
function findDevFile(env: Cli['env'], cwd: string): string | undefined {
  const home = env['MAYFLY_HOME'];
  if (home !== undefined) return join(resolve(cwd, home), 'dev.json');
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, '.mayfly', 'dev.json');
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return join(CLONE, '.mayfly', 'dev.json');
  }
}
