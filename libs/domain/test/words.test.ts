import { describe, expect, test } from '@jest/globals';
import {
  CAUSES,
  DRIFTS,
  earliest,
  flow,
  InvalidRequest,
  isTaskId,
  ManualClock,
  newDecisionId,
  newGrantId,
  newLeaseRef,
  OUT_EVENTS,
  plusSeconds,
  taskId,
  topicName,
  TOPICS,
  type Step,
} from '@mayfly/domain';
import fc from 'fast-check';

describe('a task id', () => {
  test.each(['a', 'etl-0042', 'A.b_c:d-e', 'x'.repeat(200), '.', '...'.slice(2)])('%p is one', (text) => {
    expect(taskId(text)).toBe(text);
  });

  test.each(['', 'x'.repeat(201), '..', 'a..b', 'a/b', 'a b', 'a\n', '\u0000', 'ä', '%2e%2e', 'a\\b', "a'b"])('%p is none', (text) => {
    expect(isTaskId(text)).toBe(false);
    expect(() => taskId(text)).toThrow(InvalidRequest);
  });

  test('can neither climb a path nor end a line, whatever is tried', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 250 }), (text) => {
        if (isTaskId(text)) expect(text).toMatch(/^(?!.*\.\.)[A-Za-z0-9._:-]{1,200}$/);
      }),
    );
  });
});

test('ids made here do not repeat, and are safe in a user name', () => {
  const ids = Array.from({ length: 1000 }, () => [newGrantId(), newLeaseRef(), newDecisionId()]).flat();
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[gld][a-z2-7]{20}$/);
});

test('the manual clock moves only when it is told to', () => {
  const clock = new ManualClock('2026-01-01T00:00:00Z');
  expect(clock.now()).toEqual(clock.now());
  clock.advance(1500);
  expect(clock.now()).toEqual(new Date('2026-01-01T00:00:01.500Z'));
});

test('the earliest is one of those given, and none is earlier', () => {
  fc.assert(
    fc.property(fc.array(fc.date({ noInvalidDate: true }), { minLength: 1 }), ([first, ...rest]) => {
      const soonest = earliest(first!, ...rest);
      expect([first, ...rest]).toContain(soonest);
      for (const other of rest) expect(soonest.getTime()).toBeLessThanOrEqual(other.getTime());
    }),
  );
  expect(plusSeconds(new Date(0), 0.25)).toEqual(new Date(250));
});

test('names on the wire are versioned and unique', () => {
  const types = Object.values(OUT_EVENTS);
  expect(new Set(types).size).toBe(types.length);
  for (const type of types) expect(type).toMatch(/^dev\.mayfly\.[a-z.-]+\.v1$/);
  expect(topicName('mayfly', TOPICS.tasks)).toBe('mayfly.tasks');
  expect(new Set(CAUSES).size).toBe(CAUSES.length);
  expect(new Set(DRIFTS).size).toBe(DRIFTS.length);
});

describe('a flow', () => {
  const noting = (name: string, answer?: 'stop'): Step<string[]> => {
    return async (known) => {
      await Promise.resolve();
      known.push(name);
      return answer;
    };
  };

  test('runs its steps one after the other', async () => {
    const known: string[] = [];
    expect(await flow(noting('a'), noting('b'), noting('c'))(known)).toBe(true);
    expect(known).toEqual(['a', 'b', 'c']);
  });

  test('ends at the step that stops it, and says so', async () => {
    const known: string[] = [];
    expect(await flow(noting('a'), noting('b', 'stop'), noting('c'))(known)).toBe(false);
    expect(known).toEqual(['a', 'b']);
  });

  test('what a step throws is the caller’s, and no later step runs', async () => {
    const known: string[] = [];
    const failing = flow<string[]>(
      noting('a'),
      () => {
        throw new InvalidRequest('no');
      },
      noting('c'),
    );
    await expect(failing(known)).rejects.toThrow(InvalidRequest);
    expect(known).toEqual(['a']);
  });
});
