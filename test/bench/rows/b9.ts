/** More processes of issuer and revoker: the same work is done once, and no slower. */
import { AuditLog, sum } from '../audit-log.ts';
import type { BenchStack } from '../bench-stack.ts';
import { cpuOf, usedBetween } from '../cpu.ts';
import { endOurs } from '../ends.ts';
import type { Bench, Row } from '../row.ts';
import { settled, startOurs, taskIds } from '../starts.ts';

const TASKS = { full: 600, quick: 100 } as const;
const WARM_PER_PROCESS = { full: 250, quick: 120 } as const;

/** What one size did in one round. */
interface Measured {
  readonly starts: number;
  readonly ends: number;
  /** Milliseconds on processors, of everything, a task's start and end. */
  readonly cpu: number;
  /** Of Vault, a task. */
  readonly calls: number;
  /** A task, of the calls that each task makes exactly once: of the path with the most, and of that with the least. */
  readonly most: number;
  readonly least: number;
  /** Records of evidence, a task. */
  readonly facts: number;
}

const row: Row = {
  id: 'B9',
  what: 'replicas: 1 → 2 → 4 processes of issuer and revoker',
  whatQuick: 'replicas: 1 → 2 processes of issuer and revoker',
  against: 'itself',
  reach: 'no duplicate work; throughput never falls; where cores are the limit, CPU per task flat',
  async measure(bench) {
    const { quick } = bench;
    const sizes = quick ? [1, 2] : [1, 2, 4];
    const rounds = quick ? 1 : bench.rounds;
    const measured = new Map<number, Measured[]>(sizes.map((size) => [size, []]));
    for (let round = 0; round < rounds; round += 1) {
      // In turns who begins: what the machine does meanwhile meets all alike.
      for (const size of round % 2 === 0 ? sizes : sizes.toReversed()) {
        const stack = await bench.ownStack(size === 1 ? {} : { replicas: { issuer: size, revoker: size } });
        const one = await onceThrough(bench, stack, size, `${round}-${size}`);
        measured.get(size)!.push(one);
        bench.say(
          `${size}: ${Math.round(one.starts)} starts/s, ${Math.round(one.ends)} ends/s, ${one.cpu.toFixed(1)} ms CPU and ${one.calls.toFixed(2)} Vault calls a task`,
        );
      }
    }
    const of = (size: number, what: keyof Measured): number[] => measured.get(size)!.map((one) => one[what]);
    const over = (size: number, what: keyof Measured): number[] => of(size, what).map((value, round) => value / of(1, what)[round]!);
    const units = {
      starts: 'starts/s',
      ends: 'ends/s',
      cpu: 'ms CPU/task',
      calls: 'Vault calls/task',
      most: 'calls/task, most of token create and creds',
      least: 'calls/task, least of token create and creds',
      facts: 'records of evidence/task',
    } as const;
    return {
      figures: sizes.flatMap((size) =>
        (Object.keys(units) as (keyof Measured)[]).map((what) => ({ name: `${size} of each`, unit: units[what], rounds: of(size, what) })),
      ),
      ratios: [
        ...sizes.flatMap((size) => [
          {
            name: `tokens made and logins minted a task, ${size} of each, most`,
            rounds: of(size, 'most'),
            goal: { atMost: 1 },
            inEveryRound: true as const,
          },
          {
            name: `tokens made and logins minted a task, ${size} of each, least`,
            rounds: of(size, 'least'),
            goal: { atLeast: 1 },
            inEveryRound: true as const,
          },
        ]),
        ...sizes.slice(1).flatMap((size) => [
          {
            name: `records of evidence a task, ${size} over 1`,
            rounds: over(size, 'facts'),
            goal: { atMost: 1.02 },
            inEveryRound: true as const,
          },
          { name: `Vault calls a task, ${size} over 1`, rounds: over(size, 'calls'), goal: { atMost: 1.02 }, inEveryRound: true as const },
          { name: `rate of starts, ${size} over 1`, rounds: over(size, 'starts'), goal: { atLeast: 1 } },
          { name: `rate of ends, ${size} over 1`, rounds: over(size, 'ends'), goal: { atLeast: 1 } },
          { name: `CPU a task, ${size} over 1`, rounds: over(size, 'cpu'), goal: { atMost: 1.1 } },
        ]),
      ],
      notes: [
        `${TASKS[quick ? 'quick' : 'full']} tasks with a database login each, all started at once, then all ended at once, on a fresh stack of each size that has done ${WARM_PER_PROCESS[quick ? 'quick' : 'full']} tasks for each of its processes before.`,
        'CPU is that of all processes, servers too. Calls of Vault are those in its audit log that a task makes: what is done twice shows there. Walks and comparisons, which each revoker makes, are left out.',
        ...(quick ? ['Quick: one round, and 1 and 2 only; 1 on the stack of the rows before.'] : []),
      ],
    };
  },
};
export default row;

async function onceThrough({ seed, quick, say }: Bench, stack: BenchStack, size: number, part: string): Promise<Measured> {
  const many = TASKS[quick ? 'quick' : 'full'];
  const ids = (kind: string, count: number): string[] => taskIds(`b9-${seed}-${part}-${kind}`, count);
  // Every process has to have compiled what it runs: a tenth of a second of work each is no measure of anything.
  const warm = ids('warm', WARM_PER_PROCESS[quick ? 'quick' : 'full'] * size);
  await startOurs(stack, 'token', warm);
  await endOurs(stack, warm);
  const logins = ids('login', (many >> 2) * size);
  await startOurs(stack, 'login', logins);
  await endOurs(stack, logins);
  const audit = new AuditLog(stack);
  await settled(stack);
  audit.calls();
  const writtenBefore = await written(stack);
  const before = await cpuOf(stack.processes);
  const real = ids('real', many);
  const starts = await startOurs(stack, 'login', real);
  const ends = await endOurs(stack, real);
  const cpu = (sum(usedBetween(before, await cpuOf(stack.processes))) * 1_000) / many;
  // What is written down of it too: chained and published.
  await settled(stack);
  const facts = ((await written(stack)) - writtenBefore) / many;
  const calls = Object.entries(audit.calls({ without: 'mayfly-reconciler' })).filter(([what]) =>
    OF_A_TASK.some((each) => what.endsWith(each)),
  );
  say(`${size}: ${calls.map(([what, count]) => `${what} ${(count / many).toFixed(2)}`).join(', ')}`);
  const alone = calls.filter(([what]) => ONE_BY_ONE.some((each) => what.endsWith(each))).map(([, count]) => count / many);
  return { starts, ends, cpu, calls: sum(Object.fromEntries(calls)) / many, most: Math.max(...alone), least: Math.min(...alone), facts };
}

/** Records of evidence so far. */
async function written({ ledger }: BenchStack): Promise<number> {
  const [row] = await ledger.run<{ count: number }>('', 'select count(*)::int as count from evidence.log');
  return row?.count ?? 0;
}

/** Each of these calls is of one task alone: exactly one a task. The others may be shared, or repeated as a look-up is. */
const ONE_BY_ONE = ['auth/token/create/mayfly-task', 'database/creds/orders-read'];

const OF_A_TASK = [
  'auth/token/create/mayfly-task',
  'transit/encrypt/mayfly-task-token',
  'transit/decrypt/mayfly-task-token',
  'database/creds/orders-read',
  'sys/leases/renew',
  'cubbyhole',
  'sys/leases/revoke',
  'sys/leases/lookup',
  'auth/token/revoke-accessor',
  'auth/token/lookup-accessor',
];
