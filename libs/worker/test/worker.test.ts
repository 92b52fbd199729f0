import { afterEach, expect, test } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreUnavailable } from '@mayfly/domain';
import { createLogger } from '@mayfly/telemetry';
import { startWorker, type Worker } from '@mayfly/worker';

const lines: string[] = [];
const logger = createLogger({ service: 'test', level: 'debug', destination: { write: (line) => void lines.push(line) } });
const NEVER = 3_600_000;

let worker: Worker | undefined;
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  lines.length = 0;
});

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('it never came true');
    await pause(2);
  }
}

/** Starts a worker whose rounds are counted. */
function counting(work: (round: number) => Promise<number>, everyMilliseconds = NEVER): { rounds: number } {
  const count = { rounds: 0 };
  worker = startWorker({
    name: 'test',
    everyMilliseconds,
    logger,
    work: () => {
      count.rounds += 1;
      return work(count.rounds);
    },
  });
  return count;
}

test('works at once, and goes on while there is work', async () => {
  const count = counting(async (round) => (round < 5 ? 1 : 0));
  await until(() => count.rounds === 5);
});

test('a hint wakes it long before its interval', async () => {
  const count = counting(async () => 0);
  await until(() => count.rounds === 1);
  worker!.wake();
  await until(() => count.rounds === 2);
});

test('looks by itself too: a hint that was lost costs time only', async () => {
  const count = counting(async () => 0, 10);
  await until(() => count.rounds >= 3);
});

test('a hint that comes while it works is not lost', async () => {
  let finish: (value: number) => void = () => undefined;
  const count = counting((round) => (round === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve(0)));
  await until(() => count.rounds === 1);
  worker!.wake();
  finish(0);
  await until(() => count.rounds === 2);
});

test('never two rounds at a time, however often it is woken', async () => {
  let running = 0;
  let most = 0;
  const count = counting(async () => {
    running += 1;
    most = Math.max(most, running);
    await pause(1);
    running -= 1;
    return 0;
  });
  await until(() => {
    worker!.wake();
    return count.rounds >= 20;
  });
  expect(most).toBe(1);
});

test('an outage is no busy loop, not even under a storm of hints', async () => {
  const count = counting(async () => {
    throw new StoreUnavailable();
  });
  const end = performance.now() + 600;
  while (performance.now() < end) {
    worker!.wake();
    await pause(1);
  }
  expect(count.rounds).toBeGreaterThan(1);
  expect(count.rounds).toBeLessThanOrEqual(8);
});

test('a failure is told once, by its code, and forgotten with the first success', async () => {
  let away = true;
  const count = counting(async () => {
    if (away) throw new StoreUnavailable();
    return 0;
  });
  await until(() => count.rounds >= 3);
  expect(worker!.problem()).toBe('store-unavailable');
  expect(lines.filter((line) => line.includes('it goes on trying'))).toHaveLength(1);
  expect(worker!.alive()).toBe(true);
  away = false;
  await until(() => worker!.problem() === undefined);
  expect(lines.filter((line) => line.includes('works again'))).toHaveLength(1);
});

test('stops promptly while it waits', async () => {
  const count = counting(async () => 0);
  await until(() => count.rounds === 1);
  const startedAt = performance.now();
  await worker!.stop();
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test('stops promptly while it waits for an outage to end', async () => {
  const count = counting(async () => {
    throw new StoreUnavailable();
  });
  await until(() => count.rounds === 4);
  const startedAt = performance.now();
  await worker!.stop();
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test('stops between two rounds even if there is always more work', async () => {
  const count = counting(async () => {
    await pause(1);
    return 1;
  });
  await until(() => count.rounds > 3);
  await worker!.stop();
  const { rounds } = count;
  await pause(20);
  expect(count.rounds).toBe(rounds);
});

test('finishes the round that is under way before it has stopped', async () => {
  let finish: () => void = () => undefined;
  let finished = false;
  const count = counting(async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    finished = true;
    return 0;
  });
  await until(() => count.rounds === 1);
  const stopped = worker!.stop().then(() => finished);
  finish();
  expect(await stopped).toBe(true);
});

test('hints that come while it lets things gather are followed by one round, and a full batch by the next at once', async () => {
  let rounds = 0;
  let waiting = 0;
  const taken: number[] = [];
  worker = startWorker({
    name: 'test',
    everyMilliseconds: NEVER,
    gather: { milliseconds: 40, batch: 3 },
    logger,
    work: () => {
      rounds += 1;
      const some = Math.min(waiting, 3);
      waiting -= some;
      if (some > 0) taken.push(some);
      return Promise.resolve(some);
    },
  });
  await until(() => rounds === 1);
  for (let i = 0; i < 5; i += 1) {
    waiting += 1;
    worker.wake();
  }
  await until(() => waiting === 0);
  expect(taken).toEqual([3, 2]);
});
