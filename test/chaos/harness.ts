/**
 * Runs many tasks through many faults at the same time, with the target as the witness.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { World } from '../world/world.ts';
import { awayBetween, type Death } from './death.ts';
import { drawFault, tell, type Weights } from './faults.ts';
import type { Injector } from './injector.ts';
import type { Published } from './published.ts';
import { Random } from '../world/random.ts';
import type { Target } from './target.ts';
import { ChaosTask, drawShape, type Held, type Shape } from './tasks.ts';

/** After so long a credential whose task ended counts as an orphan, in milliseconds (docs/guarantees.md, I5). */
export const ORPHAN_MS = 60_000;
const PATIENCE_MS = 25_000;
const GIVE_UP_MS = 180_000;

export interface HarnessOptions {
  readonly world: World;
  readonly published: Published;
  readonly target: Target;
  readonly injector: Injector;
  readonly deliveries: readonly string[];
  readonly weights: Weights;
  readonly say: (line: string) => void;
}

export class Harness {
  readonly deaths: Death[] = [];
  /** Tasks whose credentials worked too long after their end, and what else must never be. */
  readonly violations = new Set<string>();
  readonly orphans = new Set<string>();
  readonly tasks = new Map<string, ChaosTask>();
  readonly counts = { runs: 0, started: 0, delivered: 0, refusedLogins: 0, brokenSessions: 0 };
  readonly #on: HarnessOptions;

  constructor(options: HarnessOptions) {
    this.#on = options;
    options.target.watch((startedAt) => this.#judge(startedAt));
  }

  /** Ends so many tasks at once while nothing fails. */
  async healthy(count: number): Promise<void> {
    const tasks = Array.from({ length: count }, () => this.#task('read'));
    await each(tasks, 16, (task) => task.live(PATIENCE_MS));
    await Promise.all(tasks.map((task) => task.end()));
    await Promise.all(tasks.map((task) => this.#untilDead(task, false)));
  }

  /** Runs `runs` faults, `parallel` at a time; each is drawn from the seed and its own number. */
  async faulty(seed: number, runs: number, parallel: number, until: () => boolean = () => false): Promise<void> {
    const numbers = Array.from({ length: runs }, (_, index) => index + 1);
    await each(numbers, parallel, async (number) => {
      if (!until()) await this.#run(seed, number);
    });
  }

  async #run(seed: number, number: number): Promise<void> {
    const { injector, weights, say } = this.#on;
    const random = new Random(seed * 1_000_003 + number);
    const fault = drawFault(random, weights);
    const tasks = [this.#task(drawShape(random)), this.#task(drawShape(random))];
    const lull = random.between(0, 800);
    const began = Date.now();
    const injection = injector.arm(fault);
    await Promise.all(
      tasks.map(async (task) => {
        await task.live(PATIENCE_MS);
        await pause(lull);
        await task.end();
        await this.#untilDead(task, true);
      }),
    );
    await injection.settle();
    this.counts.runs += 1;
    const slowest = Math.max(
      0,
      ...this.deaths.filter(({ taskId }) => tasks.some(({ id }) => id === taskId)).map((death) => death.milliseconds),
    );
    say(
      `run ${number}: ${tell(fault)}; ${tasks.map(({ shape }) => shape).join(' and ')}; dead after ${slowest} ms (${Date.now() - began} ms in all)`,
    );
  }

  #task(shape: Shape): ChaosTask {
    const task = new ChaosTask(this.#on.world, shape, this.#on.deliveries);
    for (const each of [task, task.child]) if (each) this.tasks.set(each.id, each);
    this.counts.started += 1;
    return task;
  }

  /** Waits until nothing of the task works, and everyone was told that it is over. */
  async #untilDead(task: ChaosTask, faulty: boolean): Promise<void> {
    const { published, target, injector } = this.#on;
    const family = [task, ...(task.child ? [task.child] : [])];
    const endedAt = task.endedAt ?? Date.now();
    const over = (): boolean =>
      Date.now() > endedAt && family.every(({ id }) => target.ofTask(id).every(({ alive }) => !alive) && isOver(published, id));
    const giveUp = Date.now() + GIVE_UP_MS;
    while (!over()) {
      if (Date.now() > giveUp)
        return void this.violations.add(`${task.id} (${task.shape}) was not over ${GIVE_UP_MS / 1000} s after its end`);
      await pause(50);
    }
    await Promise.all(family.map((each) => this.#checkSecrets(each)));
    const last = Math.max(endedAt, ...family.flatMap(({ id }) => target.ofTask(id).map(({ lastAlive }) => lastAlive)));
    const crashes = injector.counts.serviceKills > 0 && faulty;
    const away = awayBetween(injector.outages, endedAt - 1_000, last) > 0;
    this.deaths.push({ taskId: task.id, milliseconds: last - endedAt, under: away ? 'outage' : crashes ? 'crashes' : 'healthy' });
  }

  /** What the agent still has in its hands must be worth nothing. */
  async #checkSecrets(task: ChaosTask): Promise<void> {
    this.counts.delivered += task.held.length;
    for (const held of task.held) {
      const until = Date.now() + 30_000;
      // While the server restarts it refuses nobody and lets nobody in: asked until there is an answer.
      while (!(await this.#on.world.isRefused(held.data))) {
        if (Date.now() > until) return void this.violations.add(`${held.username} of ${task.id} can still log in`);
        await pause(200);
      }
      this.counts.refusedLogins += 1;
      while (held.brokenAt === undefined) {
        if (Date.now() > until) return void this.violations.add(`a session of ${held.username} of ${task.id} is still open`);
        await pause(50);
      }
      this.counts.brokenSessions += 1;
      await held.session.close();
    }
  }

  /** After every look at the target: who works although nobody may? */
  #judge(startedAt: number): void {
    const handedOut = new Map([...this.tasks.values()].flatMap((task) => task.held.map((held): [string, Held] => [held.username, held])));
    const working = new Map<string, string>();
    for (const principal of this.#on.target.alive) {
      const task = principal.taskId ? this.tasks.get(principal.taskId) : undefined;
      const since = task ? task.endedAt : principal.firstSeen;
      if (since !== undefined && startedAt - since > ORPHAN_MS) this.orphans.add(`${principal.name} of ${principal.taskId ?? 'nobody'}`);
      if (task?.shape === 'endFirst') this.violations.add(`${principal.name} was minted for ${task.id}, which had ended before`);
      if (!task || !handedOut.has(principal.name)) continue;
      const slot = `${handedOut.get(principal.name)?.name} of ${task.id}`;
      if (working.has(slot)) this.violations.add(`two delivered copies of ${slot} work at once: ${principal.name}, ${working.get(slot)}`);
      working.set(slot, principal.name);
    }
  }
}

/** A start that came after its end is parked: such a task was over before it began. */
const isOver = (published: Published, taskId: string): boolean =>
  ['grant.closed', 'grant.denied', 'dead letter'].some((type) => published.has(type, taskId));

async function each<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  await Promise.all(
    Array.from({ length: Math.min(atOnce, left.length) }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
    }),
  );
}
