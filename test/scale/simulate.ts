/**
 * Queueing in the way of an end: who is told to end waits in the revoker's lines for a place; whoever has one asks Vault and the target,
 * step by step, and writes the proof into the ledger. What Vault does not answer is tried again after a pause, without holding a place.
 */
import { nextAttemptAt } from '@mayfly/revocation';
import { Random } from '../world/random.ts';
import { Agenda } from './agenda.ts';
import { Lines, type Ending } from './lines.ts';
import { Station, type Away } from './station.ts';

/** What one step takes on one processor, in milliseconds. */
export interface Costs {
  /** A call of Vault about a token (revoke-accessor, lookup-accessor). */
  readonly vaultCall: number;
  /** One about a lease, with its sync revocation and without the target's part. */
  readonly vaultLease: number;
  /** The target's part of one login's end, and its proof. */
  readonly target: number;
  /** All statements of a token's end. */
  readonly ledger: number;
  /** Those that each login adds. */
  readonly ledgerLogin: number;
}

/** How long a call of Vault may take, in milliseconds: as libs/vault bounds a revocation (secret-revoker.ts), and any other (client.ts). */
const REVOKE_DEADLINE = 15_000;
const CALL_DEADLINE = 5_000;

/** A Vault cluster with its target and the revokers that end what it minted. */
export interface Cell {
  readonly vaultCores: number;
  readonly targetCores: number;
  readonly ledgerCores: number;
  /** Processes × `KILLS_AT_ONCE`. */
  readonly places: number;
  readonly away?: Away;
}

/** Ends that come: at random with so many a second, or all at one moment. */
export interface Arrivals {
  readonly tenant: string;
  readonly lane: number;
  readonly logins: number;
  readonly from: number;
  readonly rate?: number;
  readonly to?: number;
  readonly count?: number;
}

export interface Scenario {
  readonly costs: Costs;
  readonly cells: readonly Cell[];
  /** Which cell a tenant's credentials are in. */
  readonly cellOf: (tenant: string) => number;
  /** One pool of places for all cells, instead of one for each. */
  readonly sharedPlaces?: boolean;
  readonly arrivals: readonly Arrivals[];
}

/** What became of one end; times in milliseconds from the beginning. */
export interface Proven {
  readonly tenant: string;
  readonly lane: number;
  readonly askedAt: number;
  readonly deadAt: number;
  readonly attempts: number;
}

export interface Outcome {
  readonly proven: readonly Proven[];
  /** Most that waited at once. */
  readonly mostWaiting: number;
  /** When the last was proven. */
  readonly lastAt: number;
  /** Part of the time that Vault's processors worked, cell by cell. */
  readonly vaultBusy: readonly number[];
}

/** Runs until everything is proven dead. The same seed gives the same outcome. */
export function simulate(scenario: Scenario, seed: number): Outcome {
  const agenda = new Agenda();
  const random = new Random(seed);
  const cells = scenario.cells.map((cell) => {
    const [vault, target, ledger] = [cell.vaultCores, cell.targetCores, cell.ledgerCores].map(
      (cores) => new Station(agenda, random, cores),
    ) as [Station, Station, Station];
    if (cell.away) vault.goesAway(cell.away);
    return { vault, target, ledger };
  });
  const pools = scenario.sharedPlaces
    ? [{ lines: new Lines(), free: scenario.cells.reduce((sum, { places }) => sum + places, 0) }]
    : scenario.cells.map(({ places }) => ({ lines: new Lines(), free: places }));
  const poolOf = (tenant: string) => pools[scenario.sharedPlaces ? 0 : scenario.cellOf(tenant)]!;
  const proven: Proven[] = [];
  let mostWaiting = 0;

  const work = (pool: (typeof pools)[number]): void => {
    while (pool.free > 0) {
      const ending = pool.lines.take();
      if (!ending) return;
      pool.free -= 1;
      kill(ending, (dead) => {
        pool.free += 1;
        if (dead) {
          const { tenant, lane, askedAt, attempts } = ending;
          proven.push({ tenant, lane, askedAt, deadAt: agenda.now, attempts: attempts + 1 });
        } else {
          ending.attempts += 1;
          agenda.in(pauseAfter(ending.attempts), () => put(ending));
        }
        work(pool);
      });
    }
  };
  const put = (ending: Ending): void => {
    const pool = poolOf(ending.tenant);
    pool.lines.put(ending);
    work(pool);
    mostWaiting = Math.max(
      mostWaiting,
      pools.reduce((sum, { lines }) => sum + lines.waiting, 0),
    );
  };
  const kill = ({ tenant, logins }: Ending, done: (dead: boolean) => void): void => {
    const { vault, target, ledger } = cells[scenario.cellOf(tenant)]!;
    const { costs } = scenario;
    const login: Step[] = [
      [vault, costs.vaultLease, REVOKE_DEADLINE],
      [target, costs.target],
      [vault, costs.vaultCall, CALL_DEADLINE],
    ];
    const token: Step[] = [
      [vault, costs.vaultCall, REVOKE_DEADLINE],
      [vault, costs.vaultCall, CALL_DEADLINE],
    ];
    const written: Step = [ledger, costs.ledger + logins * costs.ledgerLogin];
    inTurn([...Array.from({ length: logins }, () => login).flat(), ...token, written], done);
  };
  for (const arrivals of scenario.arrivals) {
    for (const askedAt of momentsOf(arrivals, random)) {
      const { tenant, lane, logins } = arrivals;
      agenda.at(askedAt, () => put({ tenant, lane, logins, askedAt, attempts: 0, taken: false }));
    }
  }
  agenda.run();
  return {
    proven,
    mostWaiting,
    lastAt: agenda.now,
    vaultBusy: cells.map(({ vault }) => vault.busy / (vault.servers * agenda.now)),
  };
}

type Step = readonly [station: Station, mean: number, deadline?: number];

/** One step after the other; the first that is not answered ends it. */
function inTurn([step, ...rest]: readonly Step[], done: (answered: boolean) => void): void {
  if (!step) return done(true);
  const [station, mean, deadline] = step;
  station.serve(mean, (answered) => (answered ? inTurn(rest, done) : done(false)), deadline);
}

const BEGINNING = new Date(0);
/** The revoker's own patience. */
const pauseAfter = (attempts: number): number => nextAttemptAt(attempts, BEGINNING).getTime();

function* momentsOf({ from, to = from, rate = 0, count = 0 }: Arrivals, random: Random): Generator<number> {
  for (let at = 0; at < count; at += 1) yield from;
  if (rate === 0) return;
  const gap = (): number => (-Math.log(1 - random.next()) * 1_000) / rate;
  for (let at = from + gap(); at < to; at += gap()) yield at;
}
