import { describe, expect, test } from '@jest/globals';
import { plusSeconds } from '@mayfly/domain';
import { isFailure, judgeBreaker, type BreakerFacts } from '../src/index.js';

const RULE = { failures: 3, withinSeconds: 60, openForSeconds: 300 };
const NOW = new Date('2026-01-01T00:00:00Z');
const ago = (seconds: number): Date => plusSeconds(NOW, -seconds);
const judge = (facts: Partial<BreakerFacts>) => judgeBreaker(RULE, { now: NOW, failures: [], ...facts });

test('a failure is what the orchestrator calls one, and silence', () => {
  expect(isFailure('failed', 'task_ended')).toBe(true);
  expect(isFailure('timed_out', 'task_ended')).toBe(true);
  expect(isFailure(undefined, 'lost_heartbeat')).toBe(true);
  expect(isFailure('succeeded', 'task_ended')).toBe(false);
  expect(isFailure('cancelled', 'task_ended')).toBe(false);
  expect(isFailure(undefined, 'operator')).toBe(false);
});

describe('a closed breaker', () => {
  test('admits below so many failures, and opens at them', () => {
    expect(judge({ failures: [ago(1), ago(2)] })).toEqual({ admit: true });
    expect(judge({ failures: [ago(1), ago(2), ago(59)] })).toEqual({ admit: false, go: 'open' });
  });
  test('counts only its window, and nothing from before it was closed', () => {
    expect(judge({ failures: [ago(1), ago(2), ago(60)] })).toEqual({ admit: true });
    const breaker = { state: 'closed', since: ago(2) } as const;
    expect(judge({ breaker, failures: [ago(1), ago(2), ago(3)] })).toEqual({ admit: true });
    expect(judge({ breaker, failures: [ago(0), ago(1), ago(2)] })).toEqual({ admit: true });
  });
  test('that was closed again opens at as many failures since', () => {
    expect(judge({ breaker: { state: 'closed', since: ago(4) }, failures: [ago(1), ago(2), ago(3)] })).toEqual({
      admit: false,
      go: 'open',
    });
  });
});

describe('an open breaker', () => {
  test('admits nothing until its time is over, then one', () => {
    expect(judge({ breaker: { state: 'open', since: ago(299) } })).toEqual({ admit: false });
    expect(judge({ breaker: { state: 'open', since: ago(300) } })).toEqual({ admit: true, go: 'half_open' });
  });
});

describe('a half-open breaker', () => {
  const breaker = { state: 'half_open', since: ago(10) } as const;
  test('waits for its trial', () => {
    expect(judge({ breaker, trial: { state: 'granted' } })).toEqual({ admit: false });
  });
  test('opens again when the trial fails, even if that is the only failure in the window', () => {
    expect(judge({ breaker, trial: { state: 'closing', endOutcome: 'failed' } })).toEqual({ admit: false, go: 'open' });
    expect(judge({ breaker, trial: { state: 'closed', endCause: 'lost_heartbeat' } })).toEqual({ admit: false, go: 'open' });
  });
  test('closes when the trial succeeds', () => {
    expect(judge({ breaker, trial: { state: 'closing', endOutcome: 'succeeded' } })).toEqual({ admit: true, go: 'closed' });
  });
  test('lets the next one try when the trial told nothing: it was denied, cancelled, or ended by somebody else', () => {
    const next = { admit: true, go: 'half_open' };
    expect(judge({ breaker, trial: { state: 'denied' } })).toEqual(next);
    expect(judge({ breaker, trial: { state: 'closed', endOutcome: 'cancelled' } })).toEqual(next);
    expect(judge({ breaker, trial: { state: 'closing', endCause: 'operator' } })).toEqual(next);
    expect(judge({ breaker })).toEqual(next);
  });
});
