/**
 * The life of one task, as an orchestrator and an agent lead it: started, used, ended, in many ways.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '@mayfly/postgres';
import type { World } from '../world/world.ts';
import type { Random } from '../world/random.ts';

/** How a task goes about. */
export const SHAPES = {
  read: 'fetches what was minted at its start',
  write: 'has its credential minted when it asks',
  both: 'has one of each',
  twice: 'fetches twice, so that the first copy must die',
  idle: 'never fetches',
  again: 'is announced three times and ended three times',
  endFirst: 'ends before it starts',
  endLost: 'never says that it ended',
  release: 'gives its credential back',
  subTask: 'has a sub-task, and ends before it',
} as const;
export type Shape = keyof typeof SHAPES;

const WEIGHTS: Record<Shape, number> = {
  read: 20,
  write: 16,
  both: 12,
  twice: 10,
  idle: 8,
  again: 12,
  endFirst: 6,
  endLost: 6,
  release: 5,
  subTask: 5,
};

export const drawShape = (random: Random): Shape => random.weighted(WEIGHTS);

const READ = { name: 'orders', capability: 'orders-db.read' };
const WRITE = { name: 'ledger', capability: 'orders-db.write' };
const ASKS: Record<Shape, readonly (typeof READ)[]> = {
  read: [READ],
  write: [WRITE],
  both: [READ, WRITE],
  twice: [READ],
  idle: [READ],
  again: [READ],
  endFirst: [READ],
  endLost: [READ],
  release: [READ],
  subTask: [READ],
};
const INTENT = {
  purpose: 'refresh the sales mart',
  plan: [
    { tool: 'sql.query', action: 'read', resource: 'orders' },
    { tool: 'sql.query', action: 'write', resource: 'orders' },
  ],
};

/** A secret that an agent holds, and the session that it keeps open with it. */
export interface Held {
  /** Name of the credential. */
  readonly name: string;
  readonly leaseRef: string;
  readonly username: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly session: Database;
  /** When the open session broke, in milliseconds since the epoch. */
  brokenAt?: number;
}

/** One task on its way. */
export class ChaosTask {
  readonly held: Held[] = [];
  readonly id: string;
  readonly shape: Shape;
  readonly child: ChaosTask | undefined;
  /** When it ended for everyone to see, in milliseconds since the epoch. */
  endedAt?: number;
  readonly #world: World;
  readonly #deliveries: readonly string[];
  #deadline: Date | undefined;

  constructor(world: World, shape: Shape, deliveries: readonly string[], parent?: string) {
    this.#world = world;
    this.#deliveries = deliveries;
    this.shape = shape;
    this.id = world.newTaskId('chaos');
    this.child = shape === 'subTask' && !parent ? new ChaosTask(world, 'read', deliveries, this.id) : undefined;
    this.#parent = parent;
  }
  readonly #parent: string | undefined;

  /** Starts it and uses what it gets, for as long as it takes. */
  async live(patienceMs: number): Promise<void> {
    if (this.shape === 'endFirst') await this.#sayEnd();
    if (this.shape === 'endLost') this.#deadline = new Date(Date.now() + 12_000);
    const event = { id: `${this.id}-start`, time: new Date().toISOString() };
    for (let times = this.shape === 'again' ? 3 : 1; times > 0; times -= 1) {
      await insist(() =>
        this.#world.start(ASKS[this.shape], {
          taskId: this.id,
          ...event,
          data: {
            intent: INTENT,
            ...(this.#deadline && { deadline: this.#deadline.toISOString() }),
            ...(this.#parent && { parentTaskId: this.#parent }),
          },
        }),
      );
    }
    if (this.shape === 'idle' || this.shape === 'endFirst') return;
    await Promise.all(ASKS[this.shape].map(({ name }) => this.#use(name, patienceMs)));
    if (this.shape === 'twice') await this.#use(READ.name, patienceMs);
    await this.child?.live(patienceMs);
  }

  /** Ends it in its own way; afterwards {@link endedAt} is set. */
  async end(): Promise<void> {
    if (this.shape === 'endLost' && this.#deadline) this.endedAt = this.#deadline.getTime();
    else if (this.shape === 'release') await this.#release();
    else if (this.shape !== 'endFirst') await this.#sayEnd();
    if (this.child && this.endedAt) this.child.endedAt = this.endedAt;
  }

  async #sayEnd(): Promise<void> {
    const event = { id: `${this.id}-end`, time: new Date().toISOString() };
    for (let times = this.shape === 'again' ? 3 : 1; times > 0; times -= 1) {
      await insist(() => this.#world.end(this.id, event));
      this.endedAt ??= Date.now();
    }
  }

  async #release(): Promise<void> {
    await insist(async () => {
      const { status } = await this.#ask(`/v1/tasks/${this.id}/release`, 'POST');
      // A start that was not admitted yet cannot be given back: such a task is ended like any other.
      if (status === 404) return this.#sayEnd();
      if (status !== 202) throw new Error(`release answered ${status}`);
    });
    this.endedAt ??= Date.now();
  }

  /** Asks until there is a secret or a refusal for good, then logs in and keeps a session open. */
  async #use(name: string, patienceMs: number): Promise<void> {
    const until = Date.now() + patienceMs;
    while (Date.now() < until) {
      const answer = await this.#ask(`/v1/tasks/${this.id}/secrets/${name}?wait=5s`, 'GET').catch(() => undefined);
      if (answer?.status === 200) return this.#hold(name, answer.body as { leaseRef: string; data: Record<string, unknown> });
      if (answer && [403, 410, 429].includes(answer.status)) return;
      await pause(200);
    }
  }

  #hold(name: string, { leaseRef, data }: { leaseRef: string; data: Readonly<Record<string, unknown>> }): void {
    const session = this.#world.login(data);
    const held: Held = { name, leaseRef, username: String(data['username']), data, session };
    this.held.push(held);
    const broken = (): void => void (held.brokenAt = Date.now());
    void session
      .run('', 'set statement_timeout = 0')
      .then(() => session.run('', 'select pg_sleep(3600)'))
      .then(broken, broken);
  }

  async #ask(path: string, method: string): Promise<{ status: number; body: unknown }> {
    const url = this.#deliveries[Math.floor(Math.random() * this.#deliveries.length)] ?? '';
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.#world.agentToken()}` },
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : undefined };
  }
}

/** An orchestrator does not give up either. */
async function insist(work: () => Promise<unknown>): Promise<void> {
  const until = Date.now() + 120_000;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await pause(250);
    }
  }
}
