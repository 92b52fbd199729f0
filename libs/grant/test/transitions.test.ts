import { describe, expect, test } from '@jest/globals';
import {
  ENDED_GRANT_STATES,
  GRANT_TRANSITIONS,
  LEASE_TRANSITIONS,
  LIVE_LEASE_STATES,
  mayGrantGo,
  mayLeaseGo,
  OPEN_LEASE_STATES,
  type GrantState,
  type LeaseState,
} from '@mayfly/grant';
import fc from 'fast-check';

type Pairs = readonly (readonly [string, string])[];
type Ways = Readonly<Record<string, readonly string[]>>;
const statesOf = (pairs: Pairs): string[] => [...new Set(pairs.map(([, next]) => next))];
const nextOf = (pairs: Pairs, state: string): string[] => pairs.filter(([prior]) => prior === state).map(([, next]) => next);

/** Every state that can be reached from this one, itself not unless by a way back. */
function reachable(pairs: Pairs, from: string): Set<string> {
  const seen = new Set<string>();
  const visit = (state: string): void => {
    for (const next of nextOf(pairs, state)) {
      if (seen.has(next)) continue;
      seen.add(next);
      visit(next);
    }
  };
  visit(from);
  return seen;
}

const machines = [
  {
    name: 'grant',
    pairs: GRANT_TRANSITIONS as Pairs,
    may: mayGrantGo as (from: string, to: string) => boolean,
    terminal: ['closed', 'denied'],
    ways: {
      none: ['requested', 'closed'],
      requested: ['denied', 'pending', 'granted', 'closed'],
      pending: ['granted', 'denied', 'closed'],
      granted: ['closing'],
      closing: ['closed'],
    } as Ways,
  },
  {
    name: 'lease',
    pairs: LEASE_TRANSITIONS as Pairs,
    may: mayLeaseGo as (from: string, to: string) => boolean,
    terminal: ['access_ended', 'expired', 'failed', 'revoked'],
    ways: {
      none: ['minting'],
      minting: ['active', 'failed', 'revoking'],
      active: ['revoking'],
      revoking: ['revoked', 'expired', 'access_ended', 'stuck'],
      stuck: ['revoking'],
    } as Ways,
  },
];

describe.each(machines)('the states of a $name', ({ pairs, may, terminal, ways }) => {
  test('of every pair of states these may follow each other, and no others', () => {
    for (const from of ['none', ...statesOf(pairs)])
      for (const to of statesOf(pairs))
        expect({ from, to, may: may(from, to) }).toEqual({ from, to, may: ways[from]?.includes(to) ?? false });
  });

  test('no path leaves a terminal state, and these are the terminal ones', () => {
    expect(
      statesOf(pairs)
        .filter((state) => nextOf(pairs, state).length === 0)
        .sort(),
    ).toEqual(terminal);
  });

  test('every state can be reached, and from every state an end can', () => {
    expect([...reachable(pairs, 'none')].sort()).toEqual(statesOf(pairs).sort());
    for (const state of statesOf(pairs)) {
      const ends = [state, ...reachable(pairs, state)].filter((candidate) => terminal.includes(candidate));
      expect({ state, ends: ends.length > 0 }).toEqual({ state, ends: true });
    }
  });

  test('nothing leads back to before the row existed', () => {
    expect(pairs.map(([, next]) => next)).not.toContain('none');
  });

  test('of any sequence of compare-and-sets only the pairs of the table happen, and a terminal state stays', () => {
    const state = fc.constantFrom('none', ...statesOf(pairs));
    fc.assert(
      fc.property(fc.array(fc.tuple(state, state), { maxLength: 60 }), (attempts) => {
        let current = 'none';
        const path = [current];
        for (const [from, to] of attempts) {
          // What the store does: only from the state that is there, only along a pair.
          if (from !== current || !may(from, to)) continue;
          expect(terminal).not.toContain(current);
          current = to;
          path.push(current);
        }
        for (const [index, step] of path.entries()) if (index > 0) expect(nextOf(pairs, path[index - 1]!)).toContain(step);
      }),
    );
  });
});

describe('what the sets of states mean', () => {
  const leases = statesOf(LEASE_TRANSITIONS) as LeaseState[];

  test('open means not over: exactly the states that have a way on', () => {
    expect([...OPEN_LEASE_STATES].sort()).toEqual(leases.filter((state) => nextOf(LEASE_TRANSITIONS, state).length > 0).sort());
  });

  test('live states are open, and once a lease is not live it never is again', () => {
    for (const state of LIVE_LEASE_STATES) expect(OPEN_LEASE_STATES).toContain(state);
    for (const state of leases.filter((candidate) => !(LIVE_LEASE_STATES as readonly string[]).includes(candidate)))
      for (const later of reachable(LEASE_TRANSITIONS, state)) expect(LIVE_LEASE_STATES).not.toContain(later);
  });

  test('a lease is called dead only after it was asked to die', () => {
    for (const over of ['revoked', 'expired', 'access_ended'] as const)
      expect(LEASE_TRANSITIONS.filter(([, next]) => next === over).map(([prior]) => prior)).toEqual(['revoking']);
  });

  test('an ended grant is never granted again', () => {
    for (const state of ENDED_GRANT_STATES) expect(reachable(GRANT_TRANSITIONS, state)).not.toContain('granted' satisfies GrantState);
  });
});
