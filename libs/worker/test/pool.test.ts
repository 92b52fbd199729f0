import { afterEach, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreUnavailable } from '@mayfly/domain';
import { createLogger } from '@mayfly/telemetry';
import { startPool, type Pool, type PoolOptions } from '@mayfly/worker';

const lines: string[] = [];
const logger = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => void lines.push(line) } });
const NEVER = 3_600_000;

let pool: Pool<number> | undefined;
afterEach(async () => {
  await pool?.stop();
  lines.length = 0;
});

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it never came true');
    await pause(2);
  }
}

/** A pool over jobs 0, 1, 2 …, each of which ends when it is told to. */
function over(count: number, changes: Partial<PoolOptions<number>> = {}) {
  const ends = new Map<number, (error?: Error) => void>();
  const asked: number[] = [];
  let next = 0;
  pool = startPool({
    name: 'test',
    size: 4,
    everyMilliseconds: NEVER,
    logger,
    claim: (limit) => {
      asked.push(limit);
      const jobs = Array.from({ length: Math.min(limit, count - next) }, (_, index) => next + index);
      next += jobs.length;
      return Promise.resolve(jobs);
    },
    work: (job) => new Promise<void>((resolve, reject) => ends.set(job, (error) => (error ? reject(error) : resolve()))),
    ...changes,
  });
  return { ends, asked };
}

test('a slow job holds up itself and nobody else: its neighbours’ places are filled again at once', async () => {
  const { ends } = over(20);
  await until(() => ends.size === 4);
  for (let job = 1; job < 20; job += 1) {
    await until(() => ends.has(job));
    ends.get(job)!();
  }
  await until(() => ends.size === 20);
  ends.get(0)!();
});

test('no more is claimed than there is room for, and nothing while there is none', async () => {
  let places = 0;
  const { ends, asked } = over(20, { room: () => places - ends.size });
  await pause(20);
  expect(asked).toEqual([]);
  places = 2;
  pool!.wake();
  await until(() => ends.size === 2);
  await pause(20);
  expect([ends.size, asked]).toEqual([2, [2]]);
  for (const end of ends.values()) end();
});

test('where less was due than there was room for nobody asks again before a job ends or there is a hint', async () => {
  const { ends, asked } = over(3);
  await until(() => ends.size === 3);
  await pause(20);
  expect(asked).toEqual([4]);
  ends.get(0)!();
  await until(() => asked.length === 2);
  pool!.wake();
  await until(() => asked.length === 3);
  await pause(20);
  expect(asked).toEqual([4, 2, 2]);
  for (const end of ends.values()) end();
});

test('a job that fails is told once per kind of trouble, and the pool goes on', async () => {
  const { ends } = over(6);
  await until(() => ends.size === 4);
  for (const job of [0, 1]) ends.get(job)!(new StoreUnavailable());
  await until(() => ends.size === 6);
  expect(lines.filter((line) => line.includes('a job failed'))).toHaveLength(1);
  expect(pool!.problem()).toBe('store-unavailable');
  for (const job of [2, 3, 4, 5]) ends.get(job)!();
  await until(() => pool!.problem() === undefined);
});

test('a job that was claimed elsewhere is taken only while a place is free', async () => {
  const { ends } = over(3);
  await until(() => ends.size === 3);
  expect(pool!.offer(100)).toBe(true);
  expect(pool!.offer(101)).toBe(false);
  for (const end of ends.values()) end();
});

test('stopping waits for what is under way and claims nothing more', async () => {
  const { ends, asked } = over(100);
  await until(() => ends.size === 4);
  const stopped = pool!.stop();
  const before = asked.length;
  for (const end of ends.values()) end();
  await stopped;
  expect(ends.size).toBe(4);
  expect(asked.length).toBe(before);
});
