import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Random } from '../world/random.js';
import { Agenda } from './agenda.js';
import { Lines, type Ending } from './lines.js';
import { capacityOf, scenarios } from './scenarios.js';
import { simulate, type Arrivals, type Cell, type Costs, type Proven, type Scenario } from './simulate.js';
import { sizeOf, sizes } from './sizing.js';
import { Station, type Away } from './station.js';
import { told } from './told.js';

const costs: Costs = { vaultCall: 1, vaultLease: 4, target: 8, ledger: 1, ledgerLogin: 2 };
const cell: Cell = { vaultCores: 2, targetCores: 2, ledgerCores: 1, places: 6 };
const END = 2;
const one = (arrivals: readonly Arrivals[], changes: Partial<Cell> = {}): Scenario => ({
  costs,
  cells: [{ ...cell, ...changes }],
  cellOf: () => 0,
  arrivals,
});
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const delays = (proven: readonly Proven[]): number[] => proven.map(({ askedAt, deadAt }) => deadAt - askedAt);
const steady: Arrivals = { tenant: 'a', lane: END, logins: 1, from: 0, to: 60_000, rate: 100 };

describe('the simulation of ends', () => {
  test('is the same for the same seed, and another for another', () => {
    const told = (seed: number) => simulate(one([steady]), seed);
    expect(told(7)).toEqual(told(7));
    expect(told(7).lastAt).not.toBe(told(8).lastAt);
  });

  test('proves every end once, whatever is away meanwhile', () => {
    const storm: Arrivals = { tenant: 'b', lane: END, logins: 0, from: 1_000, count: 500 };
    const { proven } = simulate(one([{ ...steady, rate: 20 }, storm], { away: { from: 5_000, to: 15_000, how: 'refuses' } }), 1);
    expect(proven.filter(({ tenant }) => tenant === 'b')).toHaveLength(500);
    expect(proven.every(({ askedAt, deadAt }) => deadAt > askedAt)).toBe(true);
    expect(Math.max(...proven.map(({ attempts }) => attempts))).toBeGreaterThan(3);
    // No pause is longer than ten seconds.
    expect(Math.max(...delays(proven))).toBeLessThan(10_000 + 10_000 + 2_000);
  });

  test.each([
    [1, 0.5],
    [1, 0.8],
    [4, 0.9],
  ])('one station with %i servers at %f of what it can do keeps calls waiting as long as theory says (M/M/c)', (servers, load) => {
    const [agenda, random] = [new Agenda(), new Random(3)];
    const station = new Station(agenda, random, servers);
    const service = 10;
    const rate = (load * servers) / service;
    const waited: number[] = [];
    const next = (left: number): void => {
      if (left === 0) return;
      const at = agenda.now;
      station.serve(service, () => waited.push(agenda.now - at));
      agenda.in(-Math.log(1 - random.next()) / rate, () => next(left - 1));
    };
    next(200_000);
    agenda.run();
    const expected = service + (erlangC(servers, load * servers) * service) / (servers * (1 - load));
    expect(mean(waited) / expected).toBeGreaterThan(0.9);
    expect(mean(waited) / expected).toBeLessThan(1.1);
  });

  test('a storm takes as long as its busiest part needs', () => {
    const { lastAt } = simulate(one([{ tenant: 'a', lane: END, logins: 1, from: 0, count: 4_000 }], { places: 64 }), 1);
    const atBest = (4_000 / capacityOf(cell, 1, costs)) * 1_000;
    expect(lastAt).toBeGreaterThan(0.95 * atBest);
    expect(lastAt).toBeLessThan(1.1 * atBest);
  });

  test('a cell whose Vault hangs holds up the others where they share places, and only there', () => {
    const cells = [{ ...cell, away: { from: 0, to: 30_000, how: 'hangs' } as const }, cell];
    const arrivals = ['0', '1'].map((tenant) => ({ ...steady, tenant, to: 30_000, rate: 60 }));
    const other = (sharedPlaces: boolean): number =>
      mean(delays(simulate({ costs, cells, cellOf: Number, sharedPlaces, arrivals }, 5).proven.filter(({ tenant }) => tenant === '1')));
    const alone = mean(delays(simulate(one([{ ...steady, to: 30_000, rate: 60 }]), 5).proven));
    expect(other(false) / alone).toBeLessThan(1.2);
    expect(other(true) / alone).toBeGreaterThan(50);
  });

  test('a call that hangs holds its place until its deadline, one that is refused as long as it would have taken', () => {
    const first = (how: Away['how']): number =>
      simulate(one([{ tenant: 'a', lane: END, logins: 0, from: 0, count: 1 }], { away: { from: 0, to: 200, how } }), 1).lastAt;
    expect(first('refuses')).toBeLessThan(1_000);
    expect(first('hangs')).toBeGreaterThan(15_000);
  });
});

describe('lines', () => {
  const ending = (tenant: string, lane: number, askedAt: number): Ending => ({
    tenant,
    lane,
    askedAt,
    logins: 0,
    attempts: 0,
    taken: false,
  });

  test('go by lane, by turns between tenants, and every eighth place by age', () => {
    const lines = new Lines();
    for (let n = 0; n < 20; n += 1) lines.put(ending('many', END, n));
    lines.put(ending('few', END, 20));
    lines.put(ending('late', 3, 21));
    lines.put(ending('switch', 0, 22));
    const order = Array.from({ length: 9 }, () => lines.take()!);
    expect(order.slice(0, 7).map(({ tenant }) => tenant)).toEqual(['switch', 'many', 'few', 'many', 'many', 'many', 'many']);
    // By age: the oldest that is left, which is many's sixth.
    expect(order[7]).toMatchObject({ tenant: 'many', askedAt: 5 });
    expect(lines.waiting).toBe(23 - 9);
  });

  test('give out everything once', () => {
    const lines = new Lines();
    const all = Array.from({ length: 5_000 }, (_, n) => ending(`t${n % 7}`, n % 4, n));
    for (const each of all) lines.put(each);
    const taken = new Set(Array.from({ length: all.length }, () => lines.take()));
    expect([taken.size, taken.has(undefined), lines.take(), lines.waiting]).toEqual([all.length, false, undefined, 0]);
  });
});

test('a size grows with the load, and keeps processors as idle as the plan says', () => {
  const load = { tasksPerSecond: 100, taskSeconds: 600, logins: 0.5, callsPerTask: 10 };
  const small = sizeOf(load, { busyAtMost: 0.6, coresOfVault: 8 });
  const large = sizeOf({ ...load, tasksPerSecond: 10_000 }, { busyAtMost: 0.6, coresOfVault: 8 });
  expect(small.liveGrants).toBe(60_000);
  expect(large.issuers / small.issuers).toBeGreaterThan(40);
  expect(sizeOf(load, { busyAtMost: 0.3, coresOfVault: 8 }).ledgerCores).toBeGreaterThan(small.ledgerCores);
  expect(large.partitions).toBeGreaterThanOrEqual(2 * large.revokers);
});

test('what is not served is not told in percentiles', () => {
  const overloaded = scenarios(1).filter(({ figures }) =>
    Object.entries(figures).some(([what, value]) => what.endsWith('%') && Number(value) >= 100),
  );
  expect(overloaded).not.toEqual([]);
  for (const { figures } of overloaded) {
    expect(figures).toMatchObject({ waits: 'does not keep up' });
    expect(figures).not.toHaveProperty('p99 ms');
  }
}, 120_000);

test('the figures that docs/scale.md quotes are those of the simulation', () => {
  const text = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8');
  for (const each of [...scenarios(1), ...sizes()]) expect(text).toContain(told(each));
}, 120_000);

/** Probability that all servers are busy, for so much offered load. */
function erlangC(servers: number, offered: number): number {
  let term = 1;
  let sum = 0;
  for (let n = 0; n < servers; n += 1) {
    sum += term;
    term = (term * offered) / (n + 1);
  }
  const waiting = (term * servers) / (servers - offered);
  return waiting / (sum + waiting);
}
