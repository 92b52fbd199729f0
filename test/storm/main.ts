/** `npm run storm`: everything of one tenant ends at the same moment, and the target is asked how long its logins live on. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectKafka } from '@mayfly/kafka';
import { createLogger } from '@mayfly/telemetry';
import { startStack } from '../../deploy/local/stack.mjs';
import { World } from '../world/world.ts';
import { LedgerEyes } from '../world/ledger-eyes.ts';
import { Orchestrator } from '../world/orchestrator.ts';
import { Storm, type StormReport } from './storm.ts';
import { TargetWatch } from './target-watch.ts';
import { tenantsOf, withTenants } from '../world/tenants.ts';
import { TokenWatch } from './token-watch.ts';

const USAGE = `npm run storm -- [--tasks N] [--tenants T] [--seed S] …

Starts a Mayfly of its own, starts N tasks of one tenant with a real credential each, and ends all of them at once, while the tasks of the
other tenants end one by one. The target and Vault are asked how long logins and task tokens live on.

  --tasks N         live tasks that end at once (default 300)
  --tenants T       tenants, the first of which has the storm (default 2)
  --seed S          names the tasks and draws the order of their ends (default: drawn, and printed)
  --capability C    what each task asks for (default orders-db.read)
  --home DIR        keep the stack's data there; the same seed then goes on with the tasks that live already
  --json FILE       write the report there as well
  --help            this text

Traces are sampled at 1 % unless OTEL_TRACES_SAMPLER_ARG says otherwise. Exit 0: all is dead, in time; 1: it is not, see the report.`;

const options = {
  tasks: { type: 'string', default: '300' },
  tenants: { type: 'string', default: '2' },
  seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
  capability: { type: 'string', default: 'orders-db.read' },
  home: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** In seconds; the ratio has no unit. */
const GOALS = { fence: 5, tokens: 90, logins: 180, ratio: 2 } as const;

const began = Date.now();
const say = (line: string): void => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const number = (name: 'tasks' | 'tenants' | 'seed'): number => {
    if (!/^\d{1,9}$/.test(values[name])) throw new TypeError(`--${name} is a whole number, not ${values[name]}`);
    return Number(values[name]);
  };
  const [tasks, tenants, seed] = [number('tasks'), number('tenants'), number('seed')];
  say(`seed ${seed}`);
  process.env['OTEL_TRACES_SAMPLER_ARG'] ??= '0.01';
  if (values.home) mkdirSync(values.home, { recursive: true });
  const home = values.home ?? mkdtempSync(join(tmpdir(), 'mayfly-storm-'));
  const report = await onOwnStack(home, { tasks, tenants, seed, capability: values.capability });
  const missed = missedGoals(report);
  console.log(`\n${JSON.stringify(report, null, 2)}`);
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ ...report, missed }, null, 2)}\n`);
  for (const line of missed) console.log(`missed: ${line}`);
  if (missed.length > 0) say(`logs and data are kept in ${home}`);
  else if (!values.home) rmSync(home, { recursive: true, force: true });
  return missed.length > 0 ? 1 : 0;
}

async function onOwnStack(
  home: string,
  { tasks, tenants: count, seed, capability }: { tasks: number; tenants: number; seed: number; capability: string },
): Promise<StormReport> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  const stack = await startStack({ home, signal: ending.signal });
  ending.signal.addEventListener('abort', () => void stack.stop().then(() => process.exit(1)));
  try {
    say('Mayfly is up');
    process.env['MAYFLY_DEV_JSON'] = join(home, 'dev.json');
    const world = await World.open({ watching: false });
    const { dev } = world;
    const tenants = tenantsOf(count);
    const files = await withTenants(tenants, [capability]);
    const applied = await world.operate('/v1/policies', { method: 'POST', body: JSON.stringify({ files }) });
    if (applied.status !== 200) throw new Error(`the tenants' policy set was refused: ${JSON.stringify(applied.body)}`);
    const password = readFileSync(join(home, 'keys', 'postgres.password'), 'utf8');
    const logger = createLogger({ service: 'storm', level: 'fatal' });
    const producer = connectKafka({ brokers: dev.kafka.brokers, clientId: 'storm', logger }).producer();
    const ledger = new LedgerEyes(dev.postgres.url);
    const target = new TargetWatch(`postgres://postgres:${password}@${dev.orders.host}:${dev.orders.port}/${dev.orders.database}`);
    const storm = new Storm({
      tasks,
      tenants,
      seed,
      capability,
      orchestrator: new Orchestrator(producer),
      ledger,
      target,
      tokens: new TokenWatch(dev.vault.address, join(home, 'svid', 'revoker.jwt')),
      processes: stack.processes,
      revokerUrl: `http://127.0.0.1:${dev.ports['revoker']}`,
      say,
    });
    const report = await storm.run();
    await Promise.all([target.close(), ledger.close(), producer.stop(), world.close()]);
    return report;
  } finally {
    await stack.stop();
  }
}

function missedGoals({ fence, tokens, logins, singles, states, tasks, started }: StormReport): string[] {
  const checks: readonly (readonly [boolean, string])[] = [
    [started >= tasks, `only ${started} of ${tasks} tasks were live`],
    [tokens.survivors === 0, `${tokens.survivors} task tokens live`],
    [logins.survivors === 0, `${logins.survivors} logins live`],
    [states['closed'] === tasks, `only ${states['closed'] ?? 0} of ${tasks} grants are closed`],
    [fence <= GOALS.fence, `the fence took ${fence} s, not ${GOALS.fence}`],
    [tokens.max <= GOALS.tokens, `the last task token died after ${tokens.max} s, not ${GOALS.tokens}`],
    [logins.max <= GOALS.logins, `the last login died after ${logins.max} s, not ${GOALS.logins}`],
    [singles.ratio < GOALS.ratio, `another tenant's ends took ${singles.ratio} times as long, not less than ${GOALS.ratio}`],
  ];
  return checks.flatMap(([good, what]) => (good ? [] : [what]));
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
// Connections of the stack may linger.
setTimeout(() => process.exit(), 1_000).unref();
