/** `npm run chaos`: kills everything, in every place, and asks the target whether anything lives that should not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startStack } from '../../deploy/local/stack.mjs';
import { connectWires } from '../../deploy/local/wires.mjs';
import { World } from '../world/world.ts';
import { audit, type Audit } from './audit.ts';
import { DEFAULT_WEIGHTS, type Weights } from './faults.ts';
import { Harness } from './harness.ts';
import { Injector } from './injector.ts';
import { MemoryWatch } from './memory.ts';
import { Published } from './published.ts';
import { isGood, reportOf, show, type ChaosReport } from './report.ts';
import { Target } from './target.ts';

const USAGE = `npm run chaos -- [--runs N] [--seed S] …

Starts a Mayfly of its own with two replicas of issuer, delivery and revoker, leads tasks through their lives, and meanwhile kills services
at failpoints C1 to C16 and at random, kills OpenBao, PostgreSQL and Kafka, breaks wires between them, and freezes services. The witness is
the target: a credential is dead when its login is refused and no session of it is open.

  --runs N        faults, each with two tasks (default 60)
  --seed S[,S]    draws the same faults again (default: drawn, and printed); the runs are shared out among several
  --parallel N    runs side by side (default 6)
  --healthy N     tasks that end at once before anything fails (default 100)
  --minutes M     stop after so many minutes, however many runs are left
  --spare         never kill the second replicas, so that a long run shows whether their memory grows
  --weights LIST  how likely each fault is, for example failpoint=10,openbao=3,kafka=0
  --json FILE     write the report there as well
  --quiet         no line per run
  --help          this text

Exit 0: nothing that must never happen happened. Exit 1: it did, and the report names it.`;

const options = {
  runs: { type: 'string', default: '60' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  parallel: { type: 'string', default: '6' },
  healthy: { type: 'string', default: '100' },
  minutes: { type: 'string' },
  weights: { type: 'string' },
  json: { type: 'string' },
  spare: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const REPLICAS = { issuer: 2, delivery: 2, revoker: 2 };

const began = Date.now();
const say = (line: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const count = (name: 'runs' | 'parallel' | 'healthy'): number => wholeNumber(name, values[name]);
  const settings = {
    runs: count('runs'),
    seeds: values.seed.split(',').map((seed) => wholeNumber('seed', seed)),
    parallel: count('parallel'),
    healthy: count('healthy'),
    minutes: values.minutes === undefined ? Number.POSITIVE_INFINITY : wholeNumber('minutes', values.minutes),
    spared: values.spare ? Object.keys(REPLICAS).map((service) => `${service}-2`) : [],
    weights: weightsOf(values.weights),
    say: values.quiet ? () => undefined : say,
  };
  say(`seed ${settings.seeds.join(', ')}`);
  const report = await chaos(settings);
  console.log(`\n${show(report)}`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  return isGood(report) ? 0 : 1;
}

interface Settings {
  readonly runs: number;
  readonly seeds: readonly number[];
  readonly parallel: number;
  readonly healthy: number;
  readonly minutes: number;
  readonly spared: readonly string[];
  readonly weights: Weights;
  readonly say: (line: string) => void;
}

async function chaos({ runs, seeds, parallel, healthy, minutes, spared, weights, say: tell }: Settings): Promise<ChaosReport> {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-chaos-'));
  const failpoints = join(home, 'failpoints');
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  const stack = await startStack({
    home,
    failpoints,
    wires: true,
    spared,
    replicas: REPLICAS,
    signal: ending.signal,
  });
  ending.signal.addEventListener('abort', () => void stack.stop().then(() => process.exit(1)));
  let good = false;
  try {
    say('Mayfly is up');
    process.env['MAYFLY_DEV_JSON'] = join(home, 'dev.json');
    const world = await World.open();
    const published = new Published(world);
    const { host, port, database } = world.dev.orders;
    const password = readFileSync(join(home, 'keys', 'postgres.password'), 'utf8');
    const target = new Target(`postgres://postgres:${password}@${host}:${port}/${database}`, world.dev.postgres.url);
    const { processes } = stack;
    const injector = new Injector(processes, failpoints, connectWires(stack.dev.wires.url), spared);
    const deliveries = ['delivery', 'delivery-2'].map((name) => `http://127.0.0.1:${processes.get(name)?.port}`);
    const harness = new Harness({ world, published, target, injector, deliveries, weights, say: tell });
    await harness.healthy(healthy);
    say(`${healthy} tasks ended at once, healthy`);
    const memory = new MemoryWatch(processes, ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console']);
    const end = began + minutes * 60_000;
    for (const seed of seeds) await harness.faulty(seed, Math.ceil(runs / seeds.length), parallel, () => Date.now() > end);
    const grown = memory.stop();
    say('all runs are through; waiting until everything is quiet');
    const found = await whenQuiet(() =>
      audit(
        world,
        published,
        target,
        [...harness.tasks.values()].flatMap((task) => task.held),
      ),
    );
    const report = reportOf(seeds, began, { harness, injector, target, found, memory: grown });
    good = isGood(report);
    await target.close();
    await world.close();
    return report;
  } finally {
    await stack.stop();
    if (good) rmSync(home, { recursive: true, force: true });
    else say(`logs and data are kept in ${home}`);
  }
}

/** Everything that was told is there after a while; what is still missing then is lost. */
async function whenQuiet(look: () => Promise<Audit>): Promise<Audit> {
  const until = Date.now() + 90_000;
  for (;;) {
    const found = await look();
    if ((found.unsettled.length === 0 && found.lostEvents.length === 0) || Date.now() > until) return found;
    await pause(500);
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${name} is a whole number, not ${text}`);
  return Number(text);
}

function weightsOf(text: string | undefined): Weights {
  const given = Object.fromEntries((text?.split(',') ?? []).map((each) => each.split('=') as [string, string]));
  const unknown = Object.keys(given).find((name) => !(name in DEFAULT_WEIGHTS));
  if (unknown !== undefined) throw new TypeError(`--weights knows ${Object.keys(DEFAULT_WEIGHTS).join(', ')}, not ${unknown}`);
  return { ...DEFAULT_WEIGHTS, ...Object.fromEntries(Object.entries(given).map(([name, weight]) => [name, wholeNumber(name, weight)])) };
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return error instanceof TypeError ? 2 : 1;
});
process.exit();
