import { expect, test } from '@jest/globals';
import { CAUSES } from '@mayfly/domain';
import { LANES, laneOf, PlaceDealer } from '../src/index.js';

test('every cause has a lane: kill before drift before end before expiry', () => {
  expect(Object.fromEntries(CAUSES.map((cause) => [cause, LANES[laneOf(cause)]]))).toEqual({
    operator: 'kill',
    policy_drift: 'drift',
    behaviour_drift: 'drift',
    risk_signal: 'drift',
    task_ended: 'end',
    agent_release: 'end',
    parent_ended: 'end',
    superseded: 'end',
    expired: 'expiry',
    lost_heartbeat: 'expiry',
  });
});

test('every eighth place goes by age, however few are free at a time, so that no lane starves', () => {
  for (const places of [1, 3, 4, 8, 16]) {
    const dealer = new PlaceDealer();
    let byAge = 0;
    for (let dealt = 0; dealt < 960; dealt += places) {
      const shares = dealer.deal(places);
      expect(shares.byLane + shares.byAge).toBe(places);
      byAge += shares.byAge;
    }
    expect(byAge).toBe(120);
  }
});
