import { afterEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { Denied, OUT_EVENTS, StoreUnavailable, TOPICS } from '@mayfly/domain';
import { createLogger, parseTrace } from '@mayfly/telemetry';
import { connectKafka, KafkaUnavailable, ParkEvent, toKafkaMessage } from '@mayfly/kafka';
import { Deadline, HandlerHung } from '../src/deadline.js';
import { DonePrefix } from '../src/done-prefix.js';
import { backoff, DEFAULT_PATIENCE, type Ending } from '../src/handle-record.js';
import { OffsetCommits } from '../src/offset-commits.js';
import type { Received } from '../src/received.js';
import { verdict } from '../src/verdict.js';
import { VitalSigns } from '../src/vital-signs.js';
import { startWatchdog } from '../src/watchdog.js';
import { workThrough } from '../src/work-through.js';

const record = (offset: number, key: string | null): Received => ({
  topic: 't',
  partition: 0,
  offset: String(offset),
  raw: { key: key === null ? null : Buffer.from(key), value: Buffer.from(''), headers: {} },
  timestamp: new Date(0),
});

test('whatever ends in whatever order, an offset is resolved only when all before it are done', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 30 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (numbers, order) => {
        const offsets = numbers.toSorted((a, b) => a - b).map(String);
        const shuffled = offsets.map((offset) => [order.next().value as number, offset] as const).toSorted(([a], [b]) => a - b);
        const prefix = new DonePrefix(offsets);
        const done = new Set<string>();
        for (const [, offset] of shuffled) {
          done.add(offset);
          const resolved = prefix.finish(offset);
          if (resolved !== undefined) expect(offsets.slice(0, offsets.indexOf(resolved) + 1).every((one) => done.has(one))).toBe(true);
          const gap = offsets.find((one) => !done.has(one));
          expect(prefix.beyond()).toEqual(gap === undefined ? [] : offsets.filter((one) => done.has(one) && Number(one) > Number(gap)));
        }
        expect(prefix.complete).toBe(true);
      },
    ),
  );
});

/** Commits that were sent, of a group in which offset after offset is done; the broker may be away. */
function committing() {
  let done = 0;
  const sent: number[] = [];
  let away = false;
  const group: Parameters<OffsetCommits['note']>[0] = {
    uncommittedOffsets: () => ({ topics: [{ topic: 't', partitions: [{ partition: 0, offset: String(done) }] }] }),
    commitOffsetsIfNecessary: async (offsets) => {
      if (away) throw new Error('away');
      sent.push(Number(offsets?.topics[0]?.partitions[0]?.offset));
    },
  };
  const commits = new OffsetCommits();
  return {
    sent,
    commits,
    isAway: (is: boolean) => void (away = is),
    finish: () => {
      done += 1;
      commits.note(group);
    },
  };
}
afterEach(() => void jest.useRealTimers());

test('what is done one by one is committed once a second, all of it, and nothing where nothing is done', async () => {
  jest.useFakeTimers();
  const { sent, finish } = committing();
  for (let each = 0; each < 50; each += 1) {
    finish();
    await jest.advanceTimersByTimeAsync(19);
  }
  expect(sent).toEqual([]);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(sent).toEqual([50]);
  finish();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(sent).toEqual([50, 51]);
});

test('who leaves commits at once; a commit that fails is made good by the next; another assignment voids what was to be committed', async () => {
  jest.useFakeTimers();
  const { sent, commits, finish, isAway } = committing();
  finish();
  await commits.now();
  await commits.now();
  expect(sent).toEqual([1]);
  isAway(true);
  finish();
  await jest.advanceTimersByTimeAsync(2_000);
  isAway(false);
  finish();
  await jest.advanceTimersByTimeAsync(2_000);
  expect(sent).toEqual([1, 3]);
  finish();
  commits.forget();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(sent).toEqual([1, 3]);
});

test('whatever is left, no record overtakes an earlier one of its key', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', null), left: fc.boolean(), ticks: fc.nat(3) }), { maxLength: 20 }),
      async (plan) => {
        const done: number[] = [];
        await workThrough(
          plan.map(({ key }, at) => record(at, key)),
          async ({ offset }): Promise<Ending> => {
            const { left, ticks } = plan[Number(offset)] ?? { left: false, ticks: 0 };
            for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
            return left ? 'left' : 'done';
          },
          ({ offset }) => done.push(Number(offset)),
        );
        for (const key of ['a', 'b', 'c']) {
          const ofKey = plan.flatMap((one, at) => (one.key === key ? [at] : []));
          const firstLeft = ofKey.findIndex((at) => plan[at]?.left);
          expect(done.filter((at) => plan[at]?.key === key)).toEqual(firstLeft < 0 ? ofKey : ofKey.slice(0, firstLeft));
        }
      },
    ),
  );
});

test('what an error means for its record', () => {
  expect(verdict(new StoreUnavailable(), 100, 3)).toBeUndefined();
  expect(verdict(Object.assign(new Error(), { retriable: true }), 100, 3)).toBeUndefined();
  expect(verdict(new ParkEvent('r', 'd'), 1, 3)).toEqual({ reason: 'r', detail: 'd' });
  expect(verdict(new Denied(), 1, 3)).toMatchObject({ reason: 'denied' });
  expect(verdict(new TypeError('x'), 2, 3)).toBeUndefined();
  expect(verdict(new TypeError('x'), 3, 3)).toMatchObject({ reason: 'handler-failed' });
  expect(verdict(undefined, 3, 3)).toMatchObject({ reason: 'handler-failed' });
});

test('pauses grow and stay bounded', () => {
  for (const tries of [1, 2, 5, 50, 2_000]) {
    const pause = backoff(DEFAULT_PATIENCE, tries);
    expect(pause).toBeGreaterThanOrEqual(50);
    expect(pause).toBeLessThanOrEqual(10_000);
  }
});

test('a consumer that reads nothing for two minutes is not alive, whatever its heart does; while it only lacks the broker, it is', () => {
  const listeners = new Map<string, () => void>();
  let now = 1_000_000;
  const events = {
    FETCH: 'fetch',
    HEARTBEAT: 'heartbeat',
    GROUP_JOIN: 'join',
    REBALANCING: 'rebalancing',
    CONNECT: 'connect',
    DISCONNECT: 'disconnect',
  };
  const consumer = { events, on: (name: string, listener: () => void) => void listeners.set(name, listener) };
  const vital = new VitalSigns(consumer as never, () => now);
  expect(vital.read()).toMatchObject({ alive: true, connected: false });
  listeners.get('fetch')?.();
  expect(vital.read()).toMatchObject({ alive: true, connected: true, progressMillisecondsAgo: 0 });
  now += 31_000;
  expect(vital.read()).toMatchObject({ alive: true, connected: false });
  now += 60_000;
  listeners.get('disconnect')?.();
  now += 60_000;
  expect(vital.read()).toMatchObject({ alive: true, connected: false });
  now += 59_000;
  listeners.get('heartbeat')?.();
  now += 1_000;
  expect(vital.read()).toMatchObject({ alive: false, connected: true, progressMillisecondsAgo: 120_000 });
});

test('an event leaves as a structured CloudEvent, without attributes that it has not', () => {
  const time = new Date('2026-01-01T00:00:00Z');
  const event = { id: 'e1', type: OUT_EVENTS.grantClosed, topic: TOPICS.credentials, key: 't-1', time, data: { taskId: 't-1' } };
  const { key, value, headers } = toKafkaMessage(event, { source: 'urn:mayfly:issuer' });
  expect(key).toBe('t-1');
  expect(Object.keys(headers)).toEqual(['content-type']);
  expect(Object.keys(JSON.parse(String(value)) as object)).toEqual([
    'specversion',
    'id',
    'source',
    'type',
    'time',
    'subject',
    'partitionkey',
    'datacontenttype',
    'data',
  ]);
  expect(parseTrace({})).toBeUndefined();
});

test('sending while Kafka is away says so by code', async () => {
  const kafka = connectKafka({
    brokers: ['127.0.0.1:9'],
    clientId: 'test',
    logger: createLogger({ service: 'test', destination: { write: () => undefined } }),
  });
  const producer = kafka.producer();
  await expect(producer.send('t', [{ key: null, value: 'x', headers: {} }])).rejects.toThrow(KafkaUnavailable);
  await producer.stop();
});

test('a consumer that has stopped without an error is ended once; a process that was stopped for a while is not', async () => {
  const looks = async (...answers: boolean[]): Promise<unknown[]> => {
    const stalls: unknown[] = [];
    const left = [...answers];
    await new Promise<void>((resolve) => {
      const end = startWatchdog(
        () => {
          if (left.length === 1) setTimeout(resolve, 20);
          return left.shift() ?? true;
        },
        (error) => {
          stalls.push(error.name);
          setTimeout(resolve, 20);
        },
        1,
      );
      void end;
    });
    return stalls;
  };
  expect(await looks(true, false, false, false)).toEqual(['ConsumerStalled']);
  expect(await looks(false, true, false, true)).toEqual([]);
});

test('a handler that does not end is left behind at its deadline; when too many are, the process must end', async () => {
  let reached = 0;
  const deadline = new Deadline(5, { count: 2, reached: () => (reached += 1) });
  await expect(deadline.within(() => Promise.resolve())).resolves.toBeUndefined();
  await expect(deadline.within(() => Promise.reject(new StoreUnavailable()))).rejects.toBeInstanceOf(StoreUnavailable);
  let end: () => void = () => undefined;
  await expect(deadline.within(() => new Promise((resolve) => (end = resolve)))).rejects.toBeInstanceOf(HandlerHung);
  end();
  await Promise.resolve();
  const hangs = () => deadline.within(() => new Promise(() => undefined));
  await expect(hangs()).rejects.toBeInstanceOf(HandlerHung);
  expect(reached).toBe(0); // the first one has ended since
  await expect(hangs()).rejects.toBeInstanceOf(HandlerHung);
  expect(reached).toBe(1);
});
