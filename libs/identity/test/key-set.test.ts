/** How often keys are looked for, and how long they are used. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { KeySet } from '../src/key-set.js';
import { NOW } from './issuer.js';

const SECOND = 1_000;
let clock: ManualClock;
let asked: number;
let answer: () => Response | Promise<Response>;
let keys: KeySet;
const away = (): Promise<Response> => Promise.reject(new Error('away'));
const known = async (): Promise<boolean> => (await keys.current()) !== undefined;
/** How often it is asked from now until then, with one token a second. */
const askedWithin = async (seconds: number): Promise<number> => {
  const before = asked;
  for (let n = 0; n < seconds; n += 1) {
    await keys.current();
    clock.advance(SECOND);
  }
  return asked - before;
};

beforeEach(() => {
  clock = new ManualClock(NOW);
  asked = 0;
  answer = () => new Response('{"keys":[]}');
  const fetch = async (): Promise<Response> => {
    asked += 1;
    return answer();
  };
  keys = new KeySet({ url: 'https://issuer.example/keys' }, () => [], { clock, fetch });
});

describe('keys by URL', () => {
  test('are used for one hour after they were last had, to the millisecond', async () => {
    expect(await known()).toBe(true);
    answer = away;
    clock.advance(3600 * SECOND - 1);
    expect(await known()).toBe(true);
    clock.advance(1);
    expect(await known()).toBe(false);
  });

  test('are asked for every 5 minutes', async () => {
    expect(await askedWithin(300)).toBe(1);
    expect(await askedWithin(300)).toBe(1);
  });

  test.each([
    [1, 10],
    [9.5, 10],
    [60, 60],
    [3600, 3600],
    [90_000, 3600],
  ])('are asked for at the hint of their source (%d s), but every 10 s at most and every hour at least: %d s', async (hint, seconds) => {
    answer = () => new Response(JSON.stringify({ keys: [], spiffe_refresh_hint: hint }));
    await keys.current();
    clock.advance(seconds * SECOND - 1);
    await keys.current();
    expect(asked).toBe(1);
    clock.advance(1);
    await keys.current();
    expect(asked).toBe(2);
  });

  test('are asked for every 5 s while there are none, however many tokens come', async () => {
    answer = away;
    expect(await askedWithin(20)).toBe(4);
  });

  test('are asked for every 30 s while their source is down and they are still known', async () => {
    await askedWithin(300);
    answer = away;
    expect(await askedWithin(90)).toBe(3);
  });

  test('are looked for again because of an unknown key, once in 30 s, and it is said whether they were', async () => {
    await keys.current();
    expect([await keys.refetch(), await keys.refetch()]).toEqual([true, false]);
    clock.advance(30 * SECOND - 1);
    expect(await keys.refetch()).toBe(false);
    expect(asked).toBe(2);
    clock.advance(1);
    expect(await keys.refetch()).toBe(true);
    expect(asked).toBe(3);
  });

  test('are asked for once by all who wait for them', async () => {
    await Promise.all([keys.current(), keys.refetch(), keys.current()]);
    expect(asked).toBe(1);
  });
});

describe('keys by file', () => {
  test('are read every 5 s whatever the file hints, and once a second for an unknown key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-key-set-'));
    const file = join(folder, 'bundle.json');
    let read = 0;
    keys = new KeySet({ file }, () => ((read += 1), []), { clock, fetch: away });
    await writeFile(file, JSON.stringify({ keys: [], spiffe_refresh_hint: 3600 }));
    await keys.current();
    clock.advance(5 * SECOND - 1);
    await keys.current();
    expect(read).toBe(1);
    clock.advance(1);
    expect(await known()).toBe(true);
    expect(read).toBe(2);
    expect([await keys.refetch(), await keys.refetch()]).toEqual([true, false]);
    clock.advance(SECOND);
    expect(await keys.refetch()).toBe(true);
    await rm(folder, { recursive: true });
    clock.advance(5 * SECOND);
    expect(await known()).toBe(true);
  });

  test('are looked for every second while there are none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-key-set-'));
    const file = join(folder, 'bundle.json');
    keys = new KeySet({ file }, () => [], { clock, fetch: away });
    expect(await known()).toBe(false);
    await writeFile(file, '{"keys":[]}');
    clock.advance(SECOND - 1);
    expect(await known()).toBe(false);
    clock.advance(1);
    expect(await known()).toBe(true);
    await rm(folder, { recursive: true });
  });
});
