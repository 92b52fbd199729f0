/** Ends at a steady pace: how long until all is proven, against Vault's own synchronous revocation at the same pace. */
import { setTimeout as pause } from 'node:timers/promises';
import type { BenchStack } from '../bench-stack.ts';
import { allClosed } from '../ends.ts';
import type { Row } from '../row.ts';
import { quantile, sideBySide } from '../side-by-side.ts';
import { AT_ONCE, makeBare, startOurs, taskIds } from '../starts.ts';

const PER_SECOND = 50;
const SECONDS = { full: 20, quick: 1 } as const;
/** What is not through so long after the last was sent shows that the pace was not held. */
const GRACE_MS = 1_000;

interface Steady {
  /** Milliseconds, of each end. */
  readonly durations: readonly number[];
  /** How many were not through when the last had been sent, and some time had passed. */
  readonly backlog: number;
}

const row: Row = {
  id: 'B5',
  what: 'end → proven dead, steady 50 tasks/s with database leases',
  against: 'bare synchronous revokes at the same pace',
  reach: 'p99 ≤ 3 × bare p99, ≤ 2 s',
  async measure(bench) {
    const stack = await bench.stack();
    const { quick, rounds, seed, say } = bench;
    const count = PER_SECOND * SECONDS[quick ? 'quick' : 'full'];
    const ours = async (part: string, many = count): Promise<Steady> => {
      const ids = taskIds(`b5-${seed}-${part}`, many);
      await startOurs(stack, 'login', ids);
      return steadyOurs(stack, ids);
    };
    const bare = (part: string, many = count): Promise<Steady> => steadyBare(stack, taskIds(`b5-${seed}-bare-${part}`, many));
    await ours('warm', count >> 2);
    await bare('warm', count >> 2);
    const measured = await sideBySide(
      rounds,
      (round) => ours(String(round)),
      (round) => bare(String(round)),
    );
    const at = (part: number, all: readonly Steady[]): number[] => all.map(({ durations }) => quantile(part, durations));
    const [p99, bareP99] = [at(0.99, measured.ours), at(0.99, measured.theirs)];
    say(`ours p99 ${p99.map(Math.round).join(' ')}, bare ${bareP99.map(Math.round).join(' ')} ms`);
    return {
      figures: [
        { name: 'ours p50', unit: 'ms', rounds: at(0.5, measured.ours) },
        { name: 'ours p99', unit: 'ms', rounds: p99 },
        { name: 'bare p50', unit: 'ms', rounds: at(0.5, measured.theirs) },
        { name: 'bare p99', unit: 'ms', rounds: bareP99 },
      ],
      ratios: [
        { name: 'p99, ours over bare', rounds: p99.map((value, round) => value / bareP99[round]!), goal: { atMost: 3 } },
        { name: 'p99 in seconds', rounds: p99.map((value) => value / 1_000), goal: { atMost: 2 } },
      ],
      notes: [
        `${count} tasks with a database login each, started before; then ${PER_SECOND} ends a second for ${SECONDS[quick ? 'quick' : 'full']} s, each sent on its own at its time, whether or not those before are through. Starts are no part of it: nothing starts meanwhile.`,
        ...behind('ours', measured.ours),
        ...behind('bare', measured.theirs),
        'ours: from the sending of task.ended to closed_at in the ledger: the login, its sessions, its lease and the task token are gone, each asked again. bare: leases/revoke with sync only, no token, no look-up, no question at the target.',
      ],
    };
  },
};
export default row;

/** Rounds in which a side did not hold the pace, where there are such. */
function behind(side: string, rounds: readonly Steady[]): string[] {
  if (rounds.every(({ backlog }) => backlog === 0)) return [];
  const left = rounds.map(({ backlog }) => backlog).join(' ');
  return [
    `The pace was not held, ${side}: ${left} ends, by round, were not through ${GRACE_MS / 1_000} s after the last was sent. Such a round tells how long a queue became.`,
  ];
}

function steady(ends: readonly { readonly from: number; readonly to: number }[]): Steady {
  const lastSent = Math.max(...ends.map(({ from }) => from));
  return { durations: ends.map(({ from, to }) => to - from), backlog: ends.filter(({ to }) => to > lastSent + GRACE_MS).length };
}

/** Does one each fiftieth of a second. */
async function paced<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  const underWay: Promise<unknown>[] = [];
  for (const [index, item] of items.entries()) {
    const wait = startedAt + (index * 1_000) / PER_SECOND - performance.now();
    if (wait > 0) await pause(wait);
    underWay.push(work(item));
  }
  await Promise.all(underWay);
}

async function steadyOurs(stack: BenchStack, ids: readonly string[]): Promise<Steady> {
  const tenant = stack.tenants[0]!;
  const sentAt = new Map<string, number>();
  await paced(ids, (id) => {
    sentAt.set(id, Date.now());
    return stack.orchestrator.end([{ id, tenant }]);
  });
  await allClosed(stack, ids);
  const closed = await stack.ledger.run<{ taskId: string; at: Date }>(
    '',
    'select task_id as "taskId", closed_at as at from ledger.task_grant where task_id >= $1 and task_id <= $2',
    [ids[0], ids.at(-1)],
  );
  return steady(closed.map(({ taskId, at }) => ({ from: sentAt.get(taskId)!, to: at.getTime() })));
}

async function steadyBare(stack: BenchStack, ids: readonly string[]): Promise<Steady> {
  const started = await makeBare(stack, 'login', ids);
  const vault = await stack.bareVault('revoker', AT_ONCE);
  const ends: { from: number; to: number }[] = [];
  try {
    await paced(started, async ({ lease }) => {
      const from = performance.now();
      await vault.write('sys/leases/revoke', { lease_id: lease, sync: true });
      ends.push({ from, to: performance.now() });
    });
    // Their tokens are no part of it.
    await Promise.all(started.map(({ accessor }) => vault.write('auth/token/revoke-accessor', { accessor })));
    return steady(ends);
  } finally {
    await vault.close();
  }
}
