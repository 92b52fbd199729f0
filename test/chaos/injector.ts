/**
 * Makes faults happen to a running stack, and counts those that did.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Failpoint } from '@mayfly/failpoints';
import type { StackProcess } from '../../deploy/local/stack.mjs';
import type { Wire } from '../../deploy/local/wires.mjs';
import type { Fault, Server, Victim } from './faults.ts';

/** What has happened so far. */
export interface FaultCounts {
  serviceKills: number;
  doubleFaults: number;
  freezes: number;
  wires: number;
  readonly servers: Record<Server, number>;
  /** By failpoint, for example `issuer C7`. */
  readonly points: Record<string, number>;
  /** Armed, but nobody came by. */
  missed: number;
}

/** A span of time in which a server was away, in milliseconds since the epoch. */
export interface Outage {
  readonly server: Server | 'frozen' | 'wire';
  readonly from: number;
  until: number;
}

/** An armed fault. */
export interface Injection {
  /** Waits until the fault is over, or takes it back when it can no longer happen. */
  settle(): Promise<void>;
}

const LOOK_MS = 5;

export class Injector {
  readonly counts: FaultCounts = {
    serviceKills: 0,
    doubleFaults: 0,
    freezes: 0,
    wires: 0,
    servers: { openbao: 0, postgres: 0, kafka: 0 },
    points: {},
    missed: 0,
  };
  readonly outages: Outage[] = [];
  readonly #processes: ReadonlyMap<string, StackProcess>;
  readonly #folder: string;

  readonly #wire: (name: string) => Wire;

  readonly #spared: readonly string[];

  /** @param spared processes that are never killed */
  constructor(processes: ReadonlyMap<string, StackProcess>, folder: string, wire: (name: string) => Wire, spared: readonly string[]) {
    this.#spared = spared;
    this.#processes = processes;
    this.#wire = wire;
    this.#folder = folder;
  }

  /** Arms a fault; it happens when its moment comes. */
  arm(fault: Fault): Injection {
    switch (fault.kind) {
      case 'failpoint':
        return this.#atFailpoint(fault, 'SIGKILL', () => Promise.resolve(void (this.counts.serviceKills += 1)));
      case 'double':
        return this.#atFailpoint(fault, 'SIGKILL', async () => {
          this.counts.serviceKills += 1;
          await pause(fault.afterMs);
          if (await this.#killServer('openbao')) this.counts.doubleFaults += 1;
        });
      case 'freeze':
        return this.#atFailpoint(fault, 'SIGSTOP', () => this.#thaw(fault.service, fault.seconds));
      case 'wire':
        return this.#later(fault.afterMs, () => this.#break(fault));
      case 'kill':
        return this.#later(fault.afterMs, async () => {
          if (await this.#kill(this.#replica(fault.service))) this.counts.serviceKills += 1;
        });
      case 'server':
        return this.#later(fault.afterMs, async () => void (await this.#killServer(fault.server)));
    }
  }

  #later(milliseconds: number, happen: () => Promise<void>): Injection {
    const happening = pause(milliseconds).then(happen);
    return { settle: () => happening };
  }

  #atFailpoint({ service, point }: { service: Victim; point: Failpoint }, signal: NodeJS.Signals, then: () => Promise<void>): Injection {
    const file = join(this.#folder, service, point);
    let given = false;
    // Two runs may want the same one at the same moment: the first is hit, the second misses.
    const mine = !existsSync(file);
    if (mine) writeFileSync(file, signal);
    const happening = (async () => {
      while (mine && existsSync(file)) {
        if (given) {
          rmSync(file, { force: true });
          break;
        }
        await pause(LOOK_MS);
      }
      if (!mine || given) return void (this.counts.missed += 1);
      this.counts.points[`${service} ${point}`] = (this.counts.points[`${service} ${point}`] ?? 0) + 1;
      await then();
    })();
    return {
      settle: async () => {
        given = true;
        await happening;
      },
    };
  }

  /** One of a service's processes that is up. */
  #replica(service: string): StackProcess | undefined {
    const up = [...this.#processes.values()].filter(
      ({ name, pid }) => pid && (name === service || name.startsWith(`${service}-`)) && !this.#spared.includes(name),
    );
    return up[Math.floor(Math.random() * up.length)];
  }

  async #kill(process: StackProcess | undefined): Promise<boolean> {
    if (!process?.pid) return false;
    await process.kill();
    return true;
  }

  async #killServer(server: Server): Promise<boolean> {
    const process = this.#processes.get(server);
    const from = Date.now();
    if (!process || !(await this.#kill(process))) return false;
    this.counts.servers[server] += 1;
    const outage: Outage = { server, from, until: Number.POSITIVE_INFINITY };
    this.outages.push(outage);
    void process.ready().then(
      () => (outage.until = Date.now()),
      () => undefined,
    );
    return true;
  }

  async #break({ wire: name, how, seconds }: Extract<Fault, { kind: 'wire' }>): Promise<void> {
    const wire = this.#wire(name);
    const outage: Outage = { server: 'wire', from: Date.now(), until: Number.POSITIVE_INFINITY };
    this.outages.push(outage);
    this.counts.wires += 1;
    if (how === 'cut') await wire.cut();
    if (how === 'slow') await wire.slow(2_000);
    if (how === 'hang') await wire.hang();
    if (how === 'unheard') await wire.limitData(0);
    await pause(seconds * 1000);
    await wire.mend();
    outage.until = Date.now();
  }

  /** Whoever of them stands still goes on; the others do not notice the signal. */
  async #thaw(service: Victim, seconds: number): Promise<void> {
    this.counts.freezes += 1;
    const outage: Outage = { server: 'frozen', from: Date.now(), until: Number.POSITIVE_INFINITY };
    this.outages.push(outage);
    await pause(seconds * 1000);
    for (const { name, pid } of this.#processes.values()) {
      if (pid && (name === service || name.startsWith(`${service}-`))) process.kill(pid, 'SIGCONT');
    }
    outage.until = Date.now();
  }
}
