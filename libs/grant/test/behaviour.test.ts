import { describe, expect, test } from '@jest/globals';
import { BEHAVIOURS, type Behaviour } from '@mayfly/domain';
import { isWorse, nextStep, type BehaviourRule, type BehaviourStep } from '@mayfly/grant';

const RULE: BehaviourRule = { warn: 2, narrow: 4, suspend: 6, revoke: 8 };

describe('the ladder of behaviour', () => {
  test.each<[number, BehaviourStep | undefined]>([
    [0, undefined],
    [1, undefined],
    [2, 'warned'],
    [3, 'warned'],
    [4, 'narrowed'],
    [6, 'suspended'],
    [7, 'suspended'],
    [8, 'revoked'],
    [100, 'revoked'],
  ])('%i refused calls lead a task without a fault yet to the worst step they reach: %s', (refused, step) => {
    expect(nextStep(RULE, 'normal', refused)).toBe(step);
  });

  test.each<[Behaviour, number, BehaviourStep | undefined]>([
    ['warned', 3, undefined],
    ['warned', 4, 'narrowed'],
    ['narrowed', 5, undefined],
    ['suspended', 2, undefined],
    ['suspended', 7, undefined],
    ['suspended', 8, 'revoked'],
  ])('never leads up again: a %s task with %i goes to %s', (behaviour, refused, step) => {
    expect(nextStep(RULE, behaviour, refused)).toBe(step);
  });

  test('a step of which nothing is said is never taken', () => {
    expect(nextStep(undefined, 'normal', 1000)).toBeUndefined();
    expect(nextStep({}, 'normal', 1000)).toBeUndefined();
    expect(nextStep({ warn: 2 }, 'normal', 1000)).toBe('warned');
    expect(nextStep({ revoke: 3 }, 'normal', 2)).toBeUndefined();
    expect(nextStep({ revoke: 3 }, 'normal', 3)).toBe('revoked');
  });

  test('worse is what comes later on it, and nothing is worse than itself', () => {
    for (const [above, one] of BEHAVIOURS.entries())
      for (const [below, other] of BEHAVIOURS.entries()) expect(isWorse(one, other)).toBe(above > below);
  });
});
