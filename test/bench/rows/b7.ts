/** One decision among a thousand policies: in process against plain Cedar, over HTTP against the Open Policy Agent. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPolicy, type PolicyFiles } from '@mayfly/policy';
import { Pool } from 'undici';
// @ts-expect-error plain JavaScript without types
import { OPA, start as startOpa } from '../../../deploy/local/servers/opa.mjs';
import { tenantsOf, withTenants, type Tenant } from '../../world/tenants.ts';
import type { BenchStack } from '../bench-stack.ts';
import { cpuOf, perPiece, usedBetween } from '../cpu.ts';
import { evaluation, plainCedar, planOf, question, regoInput, regoRules, tables, withRules } from '../many-rules.ts';
import type { Bench, Figure, Ratio, Row } from '../row.ts';
import { inFlight, rateOf, ratiosOf, sideBySide } from '../side-by-side.ts';
import { settled } from '../starts.ts';

const MANY = 1_000;
const FEW = 10;
/** Tasks that ask by turns: what one task has used is counted call after call. */
const TASKS = 64;
/** Steps of a task's plan; no two tasks have one in common. */
const STEPS = 8;
const IN_FLIGHT = 32;
const IN_ONE = 32;

const row: Row = {
  id: 'B7',
  what: 'one decision, 1,000 policies',
  against: 'plain Cedar wasm in process; real OPA over REST with the same rules',
  reach:
    'in process ≥ 15 × plain and flat from 10 to 1,000 policies; over HTTP with the token’s proof ≥ 0.5 of OPA’s rate; 32 in one `/evaluations` ≥ 1 × OPA a decision',
  async measure(bench) {
    const inside = await inProcess(bench);
    const outside = await overHttp(bench);
    return {
      figures: [...inside.figures, ...outside.figures],
      ratios: [...inside.ratios, ...outside.ratios],
      notes: [
        'In process: registrations, digest of the intent and Cedar, beside Cedar alone with all policies, all words and the schema; one processor each, a thousand different questions; ten for the comparison of the sizes.',
        `Over HTTP: ${IN_FLIGHT} requests in flight by the same client, which shares the machine with both. Ours: a token with each request (ES256, one for all of them: its signature is verified once and remembered, its claims and its times are checked each time), the task and its budget read and counted in the ledger, evidence of each answer; writes, which are never remembered. What evidence has left to do is done before the other side is measured, and counted in the rates until every fact is chained. OPA: one evaluation in memory, its rules in the form that it indexes, no proof, no record.`,
        ...outside.notes,
      ],
    };
  },
};
export default row;

async function inProcess({ quick, rounds, say }: Bench) {
  const [tenant] = tenantsOf(1) as [Tenant];
  const base = await withTenants([tenant], []);
  const many = decidesBy(base, tenant, MANY);
  const few = decidesBy(base, tenant, FEW);
  const plain = plainCedar(base, tenant, MANY);
  const ask = (count: number, among: number, decide: (table: string) => Promise<boolean> | boolean): Promise<number> => {
    const names = tables(among);
    return rateOf(count, async () => {
      for (let at = 0; at < count; at += 1) if (!(await decide(names[at % among]!))) throw new Error('what is permitted was denied');
    });
  };
  const count = quick ? 4_000 : 20_000;
  const ours = (): Promise<number> => ask(count, MANY, many);
  await ask(MANY * 2, MANY, many);
  await ask(MANY * 2, FEW, few);
  await ask(20, MANY, plain);
  const cedar = await sideBySide(rounds, ours, () => ask(quick ? 100 : 500, MANY, plain));
  // The same questions of both: how many different ones there are is another matter.
  const sizes = await sideBySide(
    rounds,
    () => ask(count, FEW, many),
    () => ask(count, FEW, few),
  );
  say(
    `in process: ours ${cedar.ours.map(Math.round).join(' ')}, plain Cedar ${cedar.theirs.map(Math.round).join(' ')}, ours with ${FEW} policies ${sizes.theirs.map(Math.round).join(' ')} decisions/s`,
  );
  const figures: Figure[] = [
    { name: `in process, ${MANY} policies: ours`, unit: 'decisions/s', rounds: cedar.ours },
    { name: `in process, ${MANY} policies: plain Cedar`, unit: 'decisions/s', rounds: cedar.theirs },
    { name: `in process, ${MANY} policies, ${FEW} questions: ours`, unit: 'decisions/s', rounds: sizes.ours },
    { name: `in process, ${FEW} policies, ${FEW} questions: ours`, unit: 'decisions/s', rounds: sizes.theirs },
  ];
  const ratios: Ratio[] = [
    { name: 'in process, against plain Cedar', rounds: ratiosOf(cedar), goal: { atLeast: 15 } },
    { name: `rate with ${MANY} policies over rate with ${FEW}`, rounds: ratiosOf(sizes), goal: { atLeast: 0.9 } },
  ];
  return { figures, ratios };
}

function decidesBy(base: PolicyFiles, tenant: Tenant, count: number): (table: string) => Promise<boolean> {
  const { decider } = readPolicy(withRules(base, tenant, count));
  return async (table) => (await decider.decide(question(tenant, table))).decision === 'permit';
}

async function overHttp({ quick, rounds, seed, say, ownStack }: Bench) {
  if (!existsSync(OPA)) throw new Error('the Open Policy Agent is not there: `npm run bench` fetches it');
  const stack = await ownStack();
  const tenant = stack.tenants[0]!;
  const base = await withTenants(stack.tenants, ['reports.kv']);
  await stack.apply(withRules(base, tenant, MANY));
  const taskIds = await startTasks(stack, tenant, seed);
  const home = mkdtempSync(join(tmpdir(), 'mayfly-bench-opa-'));
  const rules = join(home, 'rules.rego');
  writeFileSync(rules, regoRules(tenant, MANY));
  const opa = await startOpa({ home, more: [rules] });
  const authorization = `Bearer ${await stack.world.agentToken(tenant.agent)}`;
  const mayfly = new Client(stack.dev.delivery.url, { authorization });
  const other = new Client(new URL(opa.url).origin, {});
  const nth = (at: number, step = Math.floor(at / TASKS)) => [taskIds[at % TASKS]!, planned(at % TASKS)[step % STEPS]!] as const;
  const one = async (at: number): Promise<void> => {
    const [task, table] = nth(at);
    permitted(await mayfly.post('/access/v1/evaluation', evaluation(tenant.agent, task, table)));
  };
  const list = async (at: number): Promise<void> => {
    const evaluations = Array.from({ length: IN_ONE }, (_, place) => evaluation(tenant.agent, ...nth(at, place)));
    for (const each of (await mayfly.post('/access/v1/evaluations', { evaluations }))['evaluations'] as Answer[]) permitted(each);
  };
  const theirs = async (at: number): Promise<void> =>
    permitted((await other.post('/v1/data/bench/decision', regoInput(tenant.agent, ...nth(at))))['result'] as Answer);
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
  const rate = (count: number, each: (at: number) => Promise<void>): Promise<number> =>
    rateOf(count, () => inFlight(numbers(count), IN_FLIGHT, each));
  /** Ours leaves evidence to be chained, which is not to be measured with what comes next. */
  const ours = async (count: number, each: (at: number) => Promise<void>): Promise<Rates> => {
    let answered = 0;
    const chained = await rateOf(count, async () => {
      answered = await rate(count, each);
      await settled(stack);
    });
    return { answered, chained };
  };
  const count = quick ? 600 : 10_000;
  const lists = quick ? 40 : 600;
  try {
    await ours(count, one);
    await ours(lists, list);
    await rate(count, theirs);
    const costs = [
      await cpuNote(stack, 'one decision', count, () => ours(count, one)),
      await cpuNote(stack, `one of ${IN_ONE} in a list`, lists * IN_ONE, () => ours(lists, list)),
    ];
    const single = await besideOpa(
      rounds,
      () => ours(count, one),
      () => rate(count, theirs),
    );
    const batched = await besideOpa(
      rounds,
      async () => {
        const { answered, chained } = await ours(lists, list);
        return { answered: answered * IN_ONE, chained: chained * IN_ONE };
      },
      () => rate(count, theirs),
    );
    say(
      `over HTTP: ours ${shown(single.ours)} (${shown(single.chained)} until chained), OPA ${shown(single.theirs)}; ${IN_ONE} in one: ours ${shown(batched.ours)} (${shown(batched.chained)}), OPA ${shown(batched.theirs)} decisions/s`,
    );
    return {
      figures: [...figuresOf('over HTTP', single), ...figuresOf(`over HTTP, ${IN_ONE} in one request`, batched)],
      ratios: [
        { name: 'over HTTP, against OPA', rounds: ratiosOf(single), goal: { atLeast: 0.5 } },
        { name: `${IN_ONE} in one request, against OPA a decision`, rounds: ratiosOf(batched), goal: { atLeast: 1 } },
      ] satisfies Ratio[],
      notes: costs,
    };
  } finally {
    await Promise.allSettled([mayfly.close(), other.close(), stack.apply(stack.files)]);
    await opa.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Decisions a second: until the last answer, and until its evidence is chained too. */
interface Rates {
  readonly answered: number;
  readonly chained: number;
}

async function besideOpa(rounds: number, ours: () => Promise<Rates>, theirs: () => Promise<number>) {
  const chained: number[] = [];
  const measured = await sideBySide(
    rounds,
    async () => {
      const rates = await ours();
      chained.push(rates.chained);
      return rates.answered;
    },
    theirs,
  );
  return { ...measured, chained };
}

const figuresOf = (name: string, { ours, chained, theirs }: Awaited<ReturnType<typeof besideOpa>>): Figure[] => [
  { name: `${name}: ours`, unit: 'decisions/s', rounds: ours },
  { name: `${name}: ours, until every fact is chained`, unit: 'decisions/s', rounds: chained },
  { name: `${name}: OPA, one in each, beside it`, unit: 'decisions/s', rounds: theirs },
];

const shown = (values: readonly number[]): string => values.map(Math.round).join(' ');

type Answer = Readonly<Record<string, unknown>>;

function permitted(answer: Answer): void {
  if (answer['decision'] !== true) throw new Error(`what is permitted was denied: ${JSON.stringify(answer)}`);
}

/** The same client for both. */
class Client {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(origin: string, headers: Readonly<Record<string, string>>) {
    this.#pool = new Pool(origin, { connections: IN_FLIGHT, pipelining: 1 });
    this.#headers = { ...headers, 'content-type': 'application/json' };
  }

  async post(path: string, body: object): Promise<Answer> {
    const { statusCode, body: answer } = await this.#pool.request({
      method: 'POST',
      path,
      headers: this.#headers,
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (statusCode !== 200) throw new Error(`${path} answers ${statusCode}: ${text}`);
    return JSON.parse(text) as Answer;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** The tables on the plan of one task. */
const TABLES = tables(MANY);
const planned = (task: number): string[] => TABLES.slice(task * STEPS, (task + 1) * STEPS);

/** Tasks that may do what they are asked about. */
async function startTasks(stack: BenchStack, tenant: Tenant, seed: number): Promise<string[]> {
  const ids = Array.from({ length: TASKS }, (_, at) => `b7-${seed}-${at}`);
  for (const [at, taskId] of ids.entries()) {
    await stack.world.start([{ name: 'secret', capability: 'reports.kv' }], {
      taskId,
      source: tenant.source,
      data: {
        workflow: { name: 'storm' },
        agent: { id: tenant.agent },
        intent: { purpose: 'be asked often', plan: planOf(planned(at)) },
      },
    });
  }
  const end = Date.now() + 60_000;
  for (;;) {
    const [row] = await stack.ledger.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.task_grant where task_id = any($1) and state = 'granted'`,
      [ids],
    );
    if (row?.count === ids.length) return ids;
    if (Date.now() > end) throw new Error('tasks to ask about never started');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What a decision takes of processors, beside the client: with the ledger, and with the chaining and publishing of its evidence. */
async function cpuNote({ processes }: BenchStack, what: string, count: number, work: () => Promise<unknown>): Promise<string> {
  const before = await cpuOf(processes);
  await work();
  return `CPU of ${what}: ${perPiece(usedBetween(before, await cpuOf(processes)), count)}.`;
}
