/** What is simulated, and which figures of it are told. */
import { COSTS } from './costs.ts';
import type { Away } from './station.ts';
import { simulate, type Arrivals, type Cell, type Proven, type Scenario } from './simulate.ts';

const REVOKERS = 2;
/** What `KILLS_AT_ONCE` is where nothing is set. */
const KILLS_AT_ONCE = 32;
/** One active Vault node with eight processors, its target and its share of the ledger. */
const CELL: Cell = { vaultCores: 8, targetCores: 8, ledgerCores: 4, places: REVOKERS * KILLS_AT_ONCE };
const PLACES = `${REVOKERS} revokers × ${KILLS_AT_ONCE} places`;
const HOW = ['refuses', 'hangs'] as const;
const END_LANE = 2;
const KILL_LANE = 0;
const SECOND = 1_000;

export interface Told {
  readonly name: string;
  readonly figures: Readonly<Record<string, number | string>>;
}

/** All of them, by the same seed. */
export const scenarios = (seed: number): Told[] => [
  ...[0.5, 0.8, 0.9, 0.97].map((load) => steady(load, seed)),
  storm(seed),
  killInStorm(seed),
  ...HOW.map((how) => outage(how, seed)),
  ...HOW.flatMap((how) => [false, true].map((sharedPlaces) => oneCellAway(how, sharedPlaces, seed))),
  ...[4, 6, 8].map((cells) => tenThousand(cells, seed)),
];

/** Time that one end takes of a cell's busiest part, were it spread over all of its processors: in milliseconds, by part. */
function demands({ vaultCores, targetCores, ledgerCores }: Cell, logins: number, costs = COSTS) {
  const { vaultCall, vaultLease, target, ledger, ledgerLogin } = costs;
  return {
    vault: (2 * vaultCall + logins * (vaultLease + vaultCall)) / vaultCores,
    target: (logins * target) / targetCores,
    ledger: (ledger + logins * ledgerLogin) / ledgerCores,
  };
}
const greatest = (parts: Readonly<Record<string, number>>): number => Math.max(...Object.values(parts));

/** Ends a second that a cell can do at most, with so many logins a task: its busiest part is busy all the time. */
export const capacityOf = (cell: Cell, logins: number, costs = COSTS): number => SECOND / greatest(demands(cell, logins, costs));

const one = (arrivals: readonly Arrivals[], cell = CELL): Scenario => ({ costs: COSTS, cells: [cell], cellOf: () => 0, arrivals });
const took = (proven: readonly Proven[]): number[] => proven.map(({ askedAt, deadAt }) => deadAt - askedAt).sort((a, b) => a - b);
const at = (part: number, sorted: readonly number[]): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
const spread = (proven: readonly Proven[]) => {
  const sorted = took(proven);
  return { 'p50 ms': at(0.5, sorted), 'p99 ms': at(0.99, sorted), 'max ms': at(1, sorted) };
};

function steady(load: number, seed: number): Told {
  const rate = load * capacityOf(CELL, 1);
  const { proven } = simulate(one([{ tenant: 'all', lane: END_LANE, logins: 1, from: 0, to: 60 * SECOND, rate }]), seed);
  return {
    name: `steady, each with a login, ${Math.round(load * 100)} % of what a cell can do, ${PLACES}`,
    figures: { 'ends/s': rate, ...spread(proven) },
  };
}

const STORM = 10_000;
/** Twenty tenants whose tasks go on ending, one a second each, while another's all end at once. */
const others: Arrivals[] = Array.from({ length: 20 }, (_, n) => ({
  tenant: `tenant-${n}`,
  lane: END_LANE,
  logins: 1,
  from: 0,
  to: 30 * SECOND,
  rate: 1,
}));
const stormy: Arrivals = { tenant: 'stormy', lane: END_LANE, logins: 1, from: 5 * SECOND, count: STORM };

function storm(seed: number): Told {
  const { proven, mostWaiting } = simulate(one([...others, stormy]), seed);
  const [theirs, rest] = [proven.filter(({ tenant }) => tenant === 'stormy'), proven.filter(({ tenant }) => tenant !== 'stormy')];
  return {
    name: `${STORM} ends of one tenant at once, 20 others go on, ${PLACES}`,
    figures: {
      'storm over after s': at(1, took(theirs)) / SECOND,
      'others p50 ms': at(0.5, took(rest)),
      'others p99 ms': at(0.99, took(rest)),
      'most waiting': mostWaiting,
    },
  };
}

function killInStorm(seed: number): Told {
  const kill: Arrivals = { tenant: 'tenant-3', lane: KILL_LANE, logins: 1, from: 6 * SECOND, count: 200 };
  const { proven } = simulate(one([...others, stormy, kill]), seed);
  return { name: `a kill switch for 200 in the middle of it, ${PLACES}`, figures: spread(proven.filter(({ lane }) => lane === KILL_LANE)) };
}

function outage(how: Away['how'], seed: number): Told {
  // No multiple of a call's deadline: what hung last is told of well after the end.
  const [from, to] = [10 * SECOND, 60 * SECOND];
  const arrivals = { tenant: 'all', lane: END_LANE, logins: 1, from: 0, to: 90 * SECOND, rate: 100 };
  const { proven, mostWaiting, lastAt } = simulate(one([arrivals], { ...CELL, away: { from, to, how } }), seed);
  const during = proven.filter(({ askedAt }) => askedAt >= from && askedAt < to);
  return {
    name: `Vault ${how} for 50 s at 100 ends/s, ${PLACES}`,
    figures: {
      'last of them dead s after it is back': (Math.max(...during.map(({ deadAt }) => deadAt)) - to) / SECOND,
      'most attempts': Math.max(...during.map(({ attempts }) => attempts)),
      'most waiting': mostWaiting,
      'all over at s': lastAt / SECOND,
    },
  };
}

/** Spread like customers are: the first has eleven times what the hundredth has. One in ten gets database logins. */
function tenantsOf(count: number, rate: number, to: number, loginsOf: (n: number) => number): Arrivals[] {
  const weights = Array.from({ length: count }, (_, n) => 1 / (n + 10));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight, n) => ({
    tenant: `tenant-${n}`,
    lane: END_LANE,
    logins: loginsOf(n),
    from: 0,
    to,
    rate: (rate * weight) / sum,
  }));
}
const oneInTen = (n: number): number => (n % 10 === 0 ? 1 : 0);
const numberOf = (tenant: string): number => Number(tenant.split('-')[1]);

function oneCellAway(how: Away['how'], sharedPlaces: boolean, seed: number): Told {
  const cells = Array.from({ length: 4 }, (_, n) => (n === 0 ? { ...CELL, away: { from: 5 * SECOND, to: 25 * SECOND, how } } : CELL));
  const slow: Scenario = {
    costs: COSTS,
    cells,
    sharedPlaces,
    cellOf: (tenant) => numberOf(tenant) % cells.length,
    arrivals: tenantsOf(40, 1_200, 25 * SECOND, () => 1),
  };
  const { proven } = simulate(slow, seed);
  return {
    name: `Vault of one of four cells ${how} for 20 s, ${sharedPlaces ? `one pool of four times ${PLACES}` : `${PLACES} for each`}: the other three`,
    figures: spread(proven.filter(({ tenant }) => numberOf(tenant) % cells.length !== 0)),
  };
}

/** Tenants go to the cell that has least to do, the largest first: who is where, and how busy each part of the busiest cell would be. */
function placed(arrivals: readonly Arrivals[], count: number) {
  const cells = Array.from({ length: count }, () => ({ vault: 0, target: 0, ledger: 0 }));
  const cellOf = new Map(
    arrivals.map(({ tenant, logins, rate = 0 }) => {
      const loads = cells.map(greatest);
      const least = loads.indexOf(Math.min(...loads));
      const more = demands(CELL, logins);
      for (const part of ['vault', 'target', 'ledger'] as const) cells[least]![part] += (rate * more[part]) / SECOND;
      return [tenant, least];
    }),
  );
  const busiest = (part: 'vault' | 'ledger'): number => Math.max(...cells.map((cell) => cell[part]));
  return { cellOf, vault: busiest('vault'), ledger: busiest('ledger'), any: Math.max(...cells.map(greatest)) };
}

function tenThousand(cells: number, seed: number): Told {
  const arrivals = tenantsOf(400, 10_000, 4 * SECOND, oneInTen);
  const { cellOf, vault, ledger, any } = placed(arrivals, cells);
  const scenario = {
    costs: COSTS,
    cells: Array.from({ length: cells }, () => CELL),
    cellOf: (tenant: string) => cellOf.get(tenant)!,
    arrivals,
  };
  return {
    name: `10,000 ends a second of 400 tenants in ${cells} cells of ${PLACES}`,
    figures: {
      // Where more comes than goes, how long it takes says only for how long it was watched.
      ...(any < 1 ? spread(simulate(scenario, seed).proven) : { waits: 'does not keep up' }),
      'busiest Vault %': 100 * vault,
      'busiest ledger %': 100 * ledger,
    },
  };
}
