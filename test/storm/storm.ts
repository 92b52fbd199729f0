/**
 * The storm: one tenant's many tasks end at the same moment, while the other tenants' end one by one as always.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { StackProcess } from '../../deploy/local/stack.mjs';
import { Random } from '../world/random.ts';
import { Peaks, seconds, spreadOf, usageOf, type Spread } from '../world/figures.ts';
import type { LedgerEyes } from '../world/ledger-eyes.ts';
import type { Orchestrator, StormTask } from '../world/orchestrator.ts';
import type { TargetWatch } from './target-watch.ts';
import type { Tenant } from '../world/tenants.ts';
import type { TokenWatch } from './token-watch.ts';

/** How many single ends of the other tenants are measured before the storm, and how many tasks wait to end during it. */
const CALM_SINGLES = 30;
const STORM_SINGLES = 150;
/** Tokens that Vault is asked about all the time; at the end it is asked about every one. */
const SAMPLE = 40;
/** Starts that are under way at most: the storm is in the ends. */
const STARTS_AHEAD = 1_000;
const GAUGES = ['mayfly_vault_calls_in_flight', 'mayfly_vault_calls_waiting', 'mayfly_vault_calls_limit'];

export interface StormOptions {
  readonly tasks: number;
  readonly tenants: readonly Tenant[];
  readonly seed: number;
  readonly capability: string;
  readonly orchestrator: Orchestrator;
  readonly ledger: LedgerEyes;
  readonly target: TargetWatch;
  readonly tokens: TokenWatch;
  readonly processes: ReadonlyMap<string, StackProcess>;
  readonly revokerUrl: string;
  readonly say: (line: string) => void;
}

/** What was measured; all durations in seconds. */
export interface StormReport {
  readonly seed: number;
  readonly tasks: number;
  readonly startsPerSecond: number;
  readonly started: number;
  /** From the first end's sending until no grant is open any more. */
  readonly fence: number;
  readonly tokens: Spread & { readonly survivors: number };
  readonly logins: Spread & { readonly survivors: number };
  readonly endsPerSecond: number;
  readonly singles: { readonly before: Spread; readonly during: Spread; readonly ratio: number };
  readonly peaks: Readonly<Record<string, number>>;
  /** Resident memory in MiB before and after, and seconds on processors meanwhile, by process. */
  readonly usage: Readonly<Record<string, { readonly before: number; readonly after: number; readonly cpu: number }>>;
  readonly states: Readonly<Record<string, number>>;
}

export class Storm {
  readonly #on: StormOptions;
  readonly #stormy: readonly StormTask[];
  readonly #singles: StormTask[];
  readonly #grantOf = new Map<string, string>();

  constructor(options: StormOptions) {
    this.#on = options;
    const { tasks, tenants, seed } = options;
    const [stormy, ...calm] = tenants;
    if (!stormy || calm.length === 0) throw new RangeError('a storm needs at least two tenants');
    this.#stormy = Array.from({ length: tasks }, (_, index) => ({ id: `storm-${seed}-${index}`, tenant: stormy }));
    this.#singles = Array.from({ length: CALM_SINGLES + STORM_SINGLES }, (_, index) => ({
      id: `storm-${seed}-single-${index}`,
      tenant: calm[index % calm.length]!,
    }));
  }

  async run(): Promise<StormReport> {
    const { processes, say, ledger, seed, tasks, target } = this.#on;
    const beganAt = Date.now();
    const started = await this.#startAll([...this.#singles, ...this.#stormy]);
    const startsPerSecond = Math.round((started / (Date.now() - beganAt)) * 10_000) / 10;
    for (const { taskId, grantId } of await ledger.grants(`storm-${seed}-`)) this.#grantOf.set(taskId, grantId);
    say(`${started} credentials live (${startsPerSecond}/s)`);

    const before: number[] = [];
    for (let i = 0; i < CALM_SINGLES; i += 1) before.push(await this.#endOne());
    say(`single ends in the calm: p99 ${spreadOf(before).p99} s`);
    const usageBefore = await usageOf(processes);

    const storm = await this.#blow();
    await pause(10_000);
    const usageAfter = await usageOf(processes);
    const { accessors, ...measured } = storm;
    const tokenSurvivors = await this.#on.tokens.living(accessors);
    await target.look();
    const loginSurvivors = this.#stormy.filter(({ id }) => target.alive.has(this.#grantOf.get(id) ?? '')).length;
    const [calmSpread, stormSpread] = [spreadOf(before), spreadOf(storm.during)];
    return {
      seed,
      tasks,
      startsPerSecond,
      started,
      fence: measured.fence,
      tokens: { ...measured.tokens, survivors: tokenSurvivors.length },
      logins: { ...measured.logins, survivors: loginSurvivors },
      endsPerSecond: Math.round(tasks / measured.logins.max),
      singles: { before: calmSpread, during: stormSpread, ratio: Math.round((stormSpread.p99 / calmSpread.p99) * 100) / 100 },
      peaks: measured.peaks,
      usage: Object.fromEntries(
        Object.entries(usageBefore).map(([name, { mib, cpu }]) => {
          const after = usageAfter[name] ?? { mib: 0, cpu };
          return [name, { before: mib, after: after.mib, cpu: after.cpu - cpu }];
        }),
      ),
      states: await ledger.states(this.#stormy[0]!.tenant.name),
    };
  }

  /** Starts what is not there yet, never too far ahead of what is ready; returns how many live. */
  async #startAll(tasks: readonly StormTask[]): Promise<number> {
    const { orchestrator, ledger, seed, capability, tenants, say } = this.#on;
    const known = new Set((await ledger.grants(`storm-${seed}-`)).map(({ taskId }) => taskId));
    const missing = tasks.filter(({ id }) => !known.has(id));
    const ready = async (): Promise<number> => {
      const counts = await Promise.all(tenants.map(({ name }) => ledger.deliverable(name)));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    let sent = known.size;
    let told = Date.now();
    for (let [left, live, grown] = [missing, -1, Date.now()]; ;) {
      const now = await ready();
      if (now !== live) [live, grown] = [now, Date.now()];
      if (live >= tasks.length) return live;
      if (Date.now() - grown > 60_000) {
        const stuck = `only ${live} of ${tasks.length} tasks became ready; nothing moves any more`;
        if (live < tasks.length * 0.99) throw new Error(stuck);
        // The report says so, and what lives is worth a storm.
        say(stuck);
        return live;
      }
      if (Date.now() - told > 5_000) {
        told = Date.now();
        say(`${live} of ${tasks.length} ready`);
      }
      const room = STARTS_AHEAD - (sent - live);
      if (left.length > 0 && room > 0) {
        await orchestrator.start(left.slice(0, room), capability);
        sent += Math.min(room, left.length);
        left = left.slice(room);
      }
      await pause(250);
    }
  }

  /** Ends one task of another tenant; returns how long its login lived on, in milliseconds. */
  async #endOne(): Promise<number> {
    const { orchestrator, target } = this.#on;
    const task = this.#singles.shift();
    if (!task) throw new RangeError('no single task is left to end');
    const grant = this.#grantOf.get(task.id)!;
    const sentAt = Date.now();
    await orchestrator.end([task]);
    const diedAt = await target.death(grant, 300);
    if (diedAt === undefined) throw new Error(`${task.id} lives five minutes after its end`);
    return diedAt - sentAt;
  }

  async #blow() {
    const { orchestrator, ledger, target, tokens, tasks, seed, revokerUrl, say } = this.#on;
    const tenant = this.#stormy[0]!.tenant.name;
    const shuffled = new Random(seed).shuffled(this.#stormy);
    const peaks = new Peaks(revokerUrl, GAUGES);
    const grants = shuffled.map(({ id }) => this.#grantOf.get(id)!);
    const accessorOf = new Map((await ledger.grants(`storm-${seed}-`)).map(({ taskId, accessor }) => [taskId, accessor]));
    const accessors = shuffled.flatMap(({ id }) => accessorOf.get(id) ?? []);
    const sample = accessors.slice(0, SAMPLE);
    say(`the storm: ${tasks} tasks end`);
    const sentAt = Date.now();
    const ends = orchestrator.end(shuffled);
    const fence = this.#untilFence(tenant, sentAt);
    const tokenDeaths = tokens.deaths(sample, 600);
    let over = false;
    const dead = target.until(() => (over = grants.every((grant) => !target.alive.has(grant))), 900);
    const during: number[] = [];
    while (!over && this.#singles.length > 0) {
      during.push(await this.#endOne());
      if (during.length % 5 === 0)
        say(`${grants.filter((grant) => target.alive.has(grant)).length} logins live; a single end took ${seconds(during.at(-1)!)} s`);
      await pause(500);
    }
    await Promise.all([ends, dead]);
    peaks.stop();
    const died = await tokenDeaths;
    return {
      fence: seconds((await fence) - sentAt),
      tokens: spreadOf([...died.values()].map((at) => at - sentAt)),
      logins: spreadOf(grants.flatMap((grant) => target.diedAt.get(grant) ?? []).map((at) => at - sentAt)),
      during,
      peaks: peaks.highest,
      accessors,
    };
  }

  async #untilFence(tenant: string, sentAt: number): Promise<number> {
    for (;;) {
      const { granted = 0 } = await this.#on.ledger.states(tenant);
      if (granted === 0) {
        this.#on.say(`the fence stands after ${seconds(Date.now() - sentAt)} s`);
        return Date.now();
      }
      await pause(250);
    }
  }
}
