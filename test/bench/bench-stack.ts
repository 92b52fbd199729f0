/** A stack that is measured: real servers, all services, tenants with capabilities, traces sampled as in production. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectKafka, type EventProducer } from '@mayfly/kafka';
import type { PolicyFiles } from '@mayfly/policy';
import { openDatabase, type Database } from '@mayfly/postgres';
import { createLogger } from '@mayfly/telemetry';
import { startStack, type StackProcess } from '../../deploy/local/stack.mjs';
import { LedgerEyes } from '../world/ledger-eyes.ts';
import { Orchestrator } from '../world/orchestrator.ts';
import { tenantsOf, withTenants, type Tenant } from '../world/tenants.ts';
import { World, type Dev } from '../world/world.ts';
import { BareVault } from './bare-vault.ts';

/** Quotas are checked, and not reached. */
const QUOTAS = { liveTasks: 1_000_000, startsPerMinute: 1_000_000, mintsPerMinute: 1_000_000 };
const CAPABILITIES = ['orders-db.read', 'orders-db.write', 'reports.kv', 'service.cert', 'bastion.ssh', 'payload.key'];

export interface StackOptions {
  /** How many processes of which service; one of each by default. */
  readonly replicas?: Readonly<Record<string, number>>;
  /** How many tenants; 2 by default. */
  readonly tenants?: number;
  /** How many live tasks each of them may have; more than anybody starts by default. */
  readonly liveTasks?: number;
  /** What all of them may have; everything that the example permits to anybody by default. */
  readonly capabilities?: readonly string[];
  /** Settings of services that the launcher passes on, such as `KILLS_AT_ONCE`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where each service leaves a CPU profile when the stack ends. */
  readonly profiles?: string;
  readonly signal?: AbortSignal;
}

interface Parts {
  readonly home: string;
  readonly world: World;
  readonly processes: ReadonlyMap<string, StackProcess>;
  readonly tenants: readonly Tenant[];
  readonly files: PolicyFiles;
  readonly ledger: Database;
  readonly eyes: LedgerEyes;
  readonly producer: EventProducer;
  readonly end: () => Promise<void>;
}

export class BenchStack {
  readonly home: string;
  readonly world: World;
  readonly processes: ReadonlyMap<string, StackProcess>;
  readonly tenants: readonly Tenant[];
  /** The policy set that it begins with. */
  readonly files: PolicyFiles;
  /** The ledger, as its owner. */
  readonly ledger: Database;
  readonly eyes: LedgerEyes;
  readonly producer: EventProducer;
  readonly orchestrator: Orchestrator;
  readonly #end: () => Promise<void>;
  #stopped: Promise<void> | undefined;

  private constructor({ home, world, processes, tenants, files, ledger, eyes, producer, end }: Parts) {
    this.home = home;
    this.world = world;
    this.processes = processes;
    this.tenants = tenants;
    this.files = files;
    this.ledger = ledger;
    this.eyes = eyes;
    this.producer = producer;
    this.orchestrator = new Orchestrator(producer);
    this.#end = end;
  }

  /** Starts one and registers its tenants. */
  static async start({
    replicas,
    tenants: count = 2,
    capabilities = CAPABILITIES,
    liveTasks = QUOTAS.liveTasks,
    env = {},
    profiles,
    signal,
  }: StackOptions = {}) {
    const home = mkdtempSync(join(tmpdir(), 'mayfly-bench-'));
    let launched: Awaited<ReturnType<typeof startStack>> | undefined;
    try {
      launched = await withEnvironment({ OTEL_TRACES_SAMPLER_ARG: '0.1', ...env }, () =>
        startStack({
          home,
          ...(replicas && { replicas }),
          ...(signal && { signal }),
          ...(profiles && { nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${profiles}`] }),
        }),
      );
      const { processes, stop } = launched;
      const world = await withEnvironment({ MAYFLY_DEV_JSON: join(home, 'dev.json') }, () => World.open({ watching: false }));
      const tenants = tenantsOf(count);
      const limits = Object.fromEntries(tenants.map(({ name }) => [name, { quotas: { ...QUOTAS, liveTasks } }]));
      const logger = createLogger({ service: 'bench', level: 'fatal' });
      const producer = connectKafka({ brokers: world.dev.kafka.brokers, clientId: 'bench', logger }).producer();
      const stack = new BenchStack({
        home,
        world,
        processes,
        tenants,
        files: await withTenants(tenants, capabilities, limits),
        ledger: openDatabase({ url: world.dev.postgres.url, applicationName: 'bench', maxConnections: 4 }),
        eyes: new LedgerEyes(world.dev.postgres.url),
        producer,
        end: stop,
      });
      await stack.apply(stack.files);
      return stack;
    } catch (error) {
      await launched?.stop();
      rmSync(home, { recursive: true, force: true });
      throw error;
    }
  }

  get dev(): Dev {
    return this.world.dev;
  }

  /** Where the target's superuser connects. */
  get targetUrl(): string {
    const { host, port, database } = this.dev.orders;
    const password = readFileSync(join(this.home, 'keys', 'postgres.password'), 'utf8');
    return `postgres://postgres:${password}@${host}:${port}/${database}`;
  }

  /** Applies a policy set as an operator does. @throws Error when it is refused */
  async apply(files: PolicyFiles): Promise<void> {
    const { status, body } = await this.world.operate('/v1/policies', { method: 'POST', body: JSON.stringify({ files }) });
    if (status !== 200) throw new Error(`the policy set was refused: ${JSON.stringify(body)}`);
  }

  /** How many grants live. */
  async live(): Promise<number> {
    const [row] = await this.ledger.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.task_grant where state = 'granted'`,
    );
    return row?.count ?? 0;
  }

  /** Vault without Mayfly: as the service whose rights these are, with a token of its own. @param atOnce calls in flight at most */
  bareVault(service: string, atOnce: number): Promise<BareVault> {
    return BareVault.logIn(this.dev.vault.address, join(this.home, 'svid', `${service}.jwt`), `mayfly-${service}`, atOnce);
  }

  /** Ends all of it and removes its data. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    await Promise.allSettled([this.world.close(), this.producer.stop(), this.ledger.close(), this.eyes.close()]);
    await this.#end();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The launcher reads its settings from the environment when it starts. */
async function withEnvironment<T>(more: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  const before = Object.keys(more).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, more);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
