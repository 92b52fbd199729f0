import { beforeEach, describe, expect, test } from '@jest/globals';
import { plusSeconds } from '@mayfly/domain';
import { ORPHAN_AFTER_SECONDS, OrphanWatch } from '@mayfly/revocation';
import { NOW } from './world.js';

const at = (seconds: number): Date => plusSeconds(NOW, seconds);
let watch: OrphanWatch;
beforeEach(() => {
  watch = new OrphanWatch(60);
});

describe('what nothing explains', () => {
  test.each([
    [0, []],
    [59.999, []],
    [60, ['stray']],
    [600, ['stray']],
  ])('for %d s, with 60 s allowed: %j is overdue', (seconds, overdue) => {
    expect(watch.overdue(['stray'], at(0))).toEqual([]);
    expect(watch.overdue(['stray'], at(seconds))).toEqual(overdue);
  });

  test('has a minute where nothing else is said', () => {
    expect(ORPHAN_AFTER_SECONDS).toBe(60);
    const usual = new OrphanWatch();
    usual.overdue(['stray'], at(0));
    expect([59, 60].map((seconds) => usual.overdue(['stray'], at(seconds)))).toEqual([[], ['stray']]);
  });

  test('has its own time: an older one does not make a newer one overdue', () => {
    watch.overdue(['old'], at(0));
    watch.overdue(['old', 'new'], at(30));
    expect(watch.overdue(['old', 'new'], at(60))).toEqual(['old']);
    expect(watch.overdue(['old', 'new'], at(90))).toEqual(['old', 'new']);
  });

  test('and was explained in between starts anew', () => {
    watch.overdue(['stray'], at(0));
    watch.overdue([], at(30));
    expect(watch.overdue(['stray'], at(60))).toEqual([]);
    expect(watch.overdue(['stray'], at(120))).toEqual(['stray']);
  });

  test('is named once, however often it was seen', () => {
    watch.overdue(['stray', 'stray'], at(0));
    expect(watch.overdue(['stray', 'stray'], at(60))).toEqual(['stray']);
  });
});

describe('what is settled', () => {
  test('is nothing before the first look', () => expect(watch.settledUntil()).toBeUndefined());

  test('reaches to the beginning of the last look when all is explained', () => {
    watch.overdue([], at(10));
    expect(watch.settledUntil()).toEqual(at(10));
  });

  test('ends where the eldest unexplained one was first seen, until that is explained', () => {
    watch.overdue(['old'], at(10));
    watch.overdue(['old', 'new'], at(20));
    watch.overdue(['old', 'new'], at(30));
    expect(watch.settledUntil()).toEqual(at(10));
    watch.overdue(['new'], at(40));
    expect(watch.settledUntil()).toEqual(at(20));
    watch.overdue([], at(50));
    expect(watch.settledUntil()).toEqual(at(50));
  });
});

describe('a look may be left out', () => {
  test('only after one that found everything explained', () => {
    expect(watch.waits).toBe(true);
    watch.overdue(['stray'], at(0));
    expect(watch.waits).toBe(true);
    watch.overdue([], at(1));
    expect(watch.waits).toBe(false);
  });

  test('and then moves on what is settled', () => {
    watch.overdue([], at(0));
    watch.same(at(10));
    expect(watch.settledUntil()).toEqual(at(10));
  });

  test('and moves nothing on while something is unexplained, or nobody has looked', () => {
    watch.same(at(5));
    expect(watch.settledUntil()).toBeUndefined();
    watch.overdue(['stray'], at(10));
    watch.same(at(20));
    expect(watch.settledUntil()).toEqual(at(10));
    watch.overdue([], at(30));
    expect(watch.settledUntil()).toEqual(at(30));
  });
});
