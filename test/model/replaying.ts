/** One trace, step by step, and the comparison after each. */
import { isDeepStrictEqual } from 'node:util';
import { findGrantByTask, leasesOf, type Database } from '@mayfly/store';
import type { Outcome } from './gate.js';
import type { ModelState } from './itf.js';
import { System } from './system.js';

/** Where a trace and the code part. */
export interface Parting {
  readonly step: number;
  readonly told: string;
  readonly model: unknown;
  readonly code: unknown;
}

/** Replays one trace on a ledger that knows of nothing. Undefined when the code went along to its end. */
export async function replay(database: Database, trace: readonly ModelState[]): Promise<Parting | undefined> {
  await database.run('', 'truncate ledger.task_grant, ledger.inbox, ledger.outbox cascade');
  const system = new System(database, trace[0]!.s.permitted);
  const refs: string[] = [];
  for (const [step, state] of trace.entries()) {
    const told = `${state.last.deed} ${state.last.by} ${state.last.outcome}`;
    try {
      await happens(system, state, trace[step - 1]);
    } catch (error) {
      return { step, told, model: state.last, code: error instanceof Error ? error.stack : error };
    }
    const [model, code] = [worldOf(state), await worldIn(system, database, refs)];
    if (!isDeepStrictEqual(model, code)) return { step, told, model, code };
  }
  return undefined;
}

async function happens(system: System, { s, last: { deed, by, outcome } }: ModelState, before?: ModelState): Promise<unknown> {
  switch (deed) {
    case 'init':
      return undefined;
    case 'start':
      // Of a task that has ended it is parked, which is thrown.
      return system.start(by);
    case 'end':
      return system.end();
    case 'claim-mint':
      return system.claimMint(by);
    case 'claim-kill':
      return system.claimKill(by);
    case 'fetch':
      return system.fetch(by);
    case 'tick':
      return system.tick();
    case 'watch':
      return system.watch();
    case 'reconcile':
      return system.reconcile();
    case 'crash':
      return system.crash(by);
    case 'forget': {
      const lost = s.copies.find(({ id, leased }) => !leased && before?.s.copies.some((copy) => copy.id === id && copy.leased));
      return system.vault.forget(system.copies[lost!.id - 1]!.vaultLeaseId);
    }
    case 'step':
      return system.gates.get(by)!.pass(outcome as Outcome);
    default:
      throw new Error(`the replay does not know ${deed}`);
  }
}

const due = (at: number | undefined, now: number): string => (at === undefined ? 'never' : at <= now ? 'due' : 'later');

function worldOf({ s }: ModelState) {
  const { grant } = s;
  const time = (at: number) => due(at < 0 ? undefined : at, s.now);
  return {
    grant: {
      state: grant.state,
      prior: grant.prior,
      token: grant.token,
      mint: time(grant.mintAt),
      revoke: time(grant.revokeAt),
      attempts: grant.attempts,
    },
    leases: [...s.leases]
      .sort((a, b) => a.ref - b.ref)
      .map(({ state, prior, minter, issued, copy }) => ({ state, prior, minter, issued, copy })),
    tokens: [...s.tokens].sort((a, b) => a - b),
    copies: [...s.copies].sort((a, b) => a.id - b.id).map(({ leased, alive, handed }) => ({ leased, alive, handed })),
    workers: Object.fromEntries(
      Object.entries(s.workers)
        .map(([worker, { pc }]) => [worker, pc.startsWith('hold-') ? 'hold' : pc] as const)
        .sort(),
    ),
  };
}

const WORKERS = ['delivery-a', 'delivery-b', 'issuer-a', 'issuer-b', 'revoker-a', 'revoker-b'];

async function worldIn(system: System, database: Database, refs: string[]): Promise<ReturnType<typeof worldOf>> {
  const { vault, clock, copies, accessors, handed, taskId } = system;
  await vault.health();
  const found = await findGrantByTask(database, taskId);
  const [row] = await database.run<{ prior: string; mint: Date | null; revoke: Date | null }>(
    '',
    'select prior_state as prior, mint_at as mint, revoke_at as revoke from ledger.task_grant where task_id = $1',
    [taskId],
  );
  const priors = new Map(
    (await database.run<{ ref: string; prior: string }>('', 'select ref, prior_state as prior from ledger.lease')).map(({ ref, prior }) => [
      ref,
      prior,
    ]),
  );
  const leases = found ? await leasesOf(database, found.id) : [];
  // References are random; the model counts.
  for (const { ref } of leases) if (!refs.includes(ref)) refs.push(ref);
  const now = clock.now().getTime();
  const time = (at: Date | null | undefined) => due(at?.getTime(), now);
  const living = await Promise.all(accessors.map(async (accessor, index) => ((await vault.isTokenGone(accessor)) ? [] : [index + 1])));
  return {
    grant: {
      state: found?.state ?? 'none',
      prior: row?.prior ?? 'none',
      token: found?.tokenAccessor ? accessors.indexOf(found.tokenAccessor) + 1 : 0,
      mint: time(row?.mint),
      revoke: time(row?.revoke),
      attempts: found?.revokeAttempts ?? 0,
    },
    leases: refs.map((ref) => {
      const lease = leases.find((each) => each.ref === ref)!;
      return {
        state: lease.state,
        prior: priors.get(ref)!,
        minter: lease.minter,
        issued: lease.issuedAt !== undefined,
        copy: copies.findIndex(({ principal }) => principal === lease.principal) + 1,
      };
    }),
    tokens: living.flat(),
    copies: await Promise.all(
      copies.map(async ({ principal, vaultLeaseId }) => ({
        leased: !(await vault.isLeaseGone(vaultLeaseId)),
        alive: vault.principals.has(principal),
        handed: handed.has(principal),
      })),
    ),
    workers: Object.fromEntries(WORKERS.map((worker) => [worker, system.at(worker)])),
  };
}
