/** A hand on the servers and wires of a stack that may be broken. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase, type Database } from '@mayfly/postgres';
import { connectWires, type Wire } from '../../deploy/local/wires.mjs';
import { until, type Dev } from './world.js';

/** What a service says of itself. */
export interface Said {
  readonly status: number;
  readonly parts: Readonly<Record<string, { readonly status: string; readonly since: string; readonly problem?: string }>>;
  readonly seconds: number;
}

const SERVICES = ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console'];

export class Faults {
  readonly wire: (name: string) => Wire;
  readonly #stopped = new Set<string>();
  readonly #target: Database;

  constructor(private readonly dev: Dev) {
    if (!dev.wires) throw new Error('this stack has no wires to break');
    this.wire = connectWires(dev.wires.url);
    const roles = JSON.parse(readFileSync(join(dev.home, 'keys', 'database-roles.json'), 'utf8')) as { orders_admin: string };
    const { host, port, database } = dev.orders;
    this.#target = openDatabase({
      url: `postgres://orders_admin:${roles.orders_admin}@${host}:${port}/${database}`,
      applicationName: 'oracle',
    });
  }

  /** The process number of a part of the stack. */
  pid(name: string): number {
    return (JSON.parse(readFileSync(join(this.dev.home, 'run', `${name}.json`), 'utf8')) as { pid: number }).pid;
  }

  /** The process numbers of all services. */
  pids(): Record<string, number> {
    return Object.fromEntries(SERVICES.map((service) => [service, this.pid(service)]));
  }

  /** Ends a process as a fault would; the launcher starts it again by itself. */
  kill(name: string, signal: 'SIGKILL' | 'SIGINT' = 'SIGKILL'): void {
    process.kill(this.pid(name), signal);
  }

  /** Stops a process: it is there and does nothing. */
  stop(name: string): void {
    process.kill(this.pid(name), 'SIGSTOP');
    this.#stopped.add(name);
  }

  /** Lets a stopped process go on. */
  go(name: string): void {
    if (this.#stopped.delete(name)) process.kill(this.pid(name), 'SIGCONT');
  }

  /** A stopped process was killed since: there is nothing to let go on. */
  forget(name: string): void {
    this.#stopped.delete(name);
  }

  /** Mends all wires, lets all processes go on, and waits until every service is ready. */
  async mend(): Promise<void> {
    for (const name of this.#stopped) this.go(name);
    for (const wire of ['vault', 'postgres', 'kafka', 'identity', 'zipkin', 'target', 'engine']) await this.wire(wire).mend();
    for (const service of SERVICES) await this.ready(service);
  }

  /** Waits until a service is ready; gives back how long that took, in seconds. */
  async ready(service: string, seconds = 60): Promise<number> {
    const since = performance.now();
    const look = async (): Promise<true | undefined> => ((await this.says(service, 'readyz')).status === 200 ? true : undefined);
    await until(`${service} is ready`, () => look().catch(() => undefined), seconds);
    return (performance.now() - since) / 1000;
  }

  /** What a service answers about itself, and how long it took. */
  async says(service: string, path: 'healthz' | 'readyz'): Promise<Said> {
    const since = performance.now();
    const answer = await fetch(`http://127.0.0.1:${this.dev.ports[service]}/${path}`);
    const { parts } = (await answer.json()) as Pick<Said, 'parts'>;
    return { status: answer.status, parts, seconds: (performance.now() - since) / 1000 };
  }

  /** Database users that Mayfly had made, as the target knows them. */
  async principals(): Promise<string[]> {
    const rows = await this.#target.run<{ name: string }>('', `select rolname as name from pg_roles where rolname like 'token-%'`);
    return rows.map(({ name }) => name);
  }

  /** Forgets the target. */
  close(): Promise<void> {
    return this.#target.close();
  }

  /** The sum of a metric over its labels; 0 when it was never counted. */
  async metric(service: string, name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.dev.ports[service]}/metrics`)).text();
    const values = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }
}

/** Shows a figure that a test measured, in the test run's output. */
export const figure = (text: string): void => void process.stdout.write(`   ↳ ${text}\n`);

/** Seconds since a `performance.now()`, to one decimal. */
export const secondsSince = (since: number): number => Math.round((performance.now() - since) / 100) / 10;

/** Seconds that something took, to one decimal. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return secondsSince(since);
}
