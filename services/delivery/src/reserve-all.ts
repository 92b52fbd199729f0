import { FetchLimit, MayflyError, NotReady, QuotaExceeded, TaskClosed } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { LIVE_LEASE_STATES, mayUse, type Credential, type Grant, type Lease } from '@mayfly/grant';
import { quotaBounds } from '@mayfly/policy';
import { endLease, lockGrantRows, noteFetches, readFetchable, type Fetchable, type Sql } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';
import type { DeliveryDependencies, Fetch } from './fetch.js';
import { BUSY, type Each } from './per-grant.js';
import { keepBudget } from './steps/keep-budget.js';

const refusals = counter(METRICS.quotaRefusals);

/** Which copy is handed out, before anything exists: the one from the start if nobody has it yet, or a fresh one, for which the earlier one has to die. */
export interface Reserved {
  readonly grant: Grant;
  readonly credential: Credential;
  readonly lease: Lease;
  /** The earlier copy, whose end was asked for. */
  readonly superseded?: Lease | undefined;
}

/** What is to be written for one fetch. */
interface Plan {
  readonly fetch: Fetch;
  readonly grant: Grant;
  readonly credential: Credential;
  /** The live copy, and whether it is the one to hand out. */
  readonly live?: Lease | undefined;
  readonly handsOut: boolean;
}

/** Decides it in the ledger, for fetches of different grants in one transaction. What is refused is refused alone, and nothing is written for it. */
export const reserveAll = (on: DeliveryDependencies, fetches: readonly Fetch[], busy: 'wait' | 'skip'): Promise<Each<Reserved>[]> =>
  on.database.transaction('reserve lease', async (tx) => {
    const locked = await lockGrantRows(
      tx,
      fetches.map(({ grant }) => grant!.id),
      busy,
    );
    // INVARIANT: drift decides a grant again under this same lock. Either it sees the intent that is written here, or we see its policy set.
    const known = await readFetchable(
      tx,
      locked.map(({ id }) => ({ grantId: id, name: fetches.find(({ grant }) => grant!.id === id)!.name })),
    );
    const planned: (Plan | { readonly refused: unknown } | typeof BUSY)[] = [];
    for (const fetch of fetches) {
      const grant = locked.find(({ id }) => id === fetch.grant!.id);
      if (!grant && busy === 'skip') {
        planned.push(BUSY);
        continue;
      }
      const fetchable = known.find(({ credential }) => credential.grantId === grant?.id);
      planned.push(
        await plan(tx, fetch, grant, fetchable).catch((error: unknown) => {
          if (error instanceof MayflyError && error.code !== 'store-unavailable') return { refused: error };
          throw error;
        }),
      );
    }
    const written = await write(
      tx,
      on.clock.now(),
      planned.flatMap((each) => (each !== BUSY && 'fetch' in each ? [each] : [])),
    );
    return planned.map((each) => (each !== BUSY && 'fetch' in each ? { done: written.get(each.fetch)! } : each));
  });

/** @param known what the ledger says under the grant's lock */
async function plan(tx: Sql, fetch: Fetch, grant: Grant | undefined, known: Fetchable | undefined): Promise<Plan> {
  const { grant: seen, decision } = fetch;
  const { credential, leases = [] } = known ?? {};
  if (grant?.state !== 'granted') throw new TaskClosed();
  if (known?.digest !== decision!.policyDigest) throw new NotReady('the policy set changed this very moment; ask again');
  if (grant.risk !== seen!.risk || grant.behaviour !== seen!.behaviour || grant.initiatorOffboarded !== seen!.initiatorOffboarded)
    throw new NotReady('what this was decided on changed this very moment; ask again');
  if (credential && !mayUse(grant, credential.capability)) throw new NotReady('this was lost this very moment; ask again');
  if (!credential?.spec) throw new TypeError('a permitted credential has a specification');
  if (credential.fetches >= credential.spec.maxFetches) throw new FetchLimit();
  const live = leases.find(({ state }) => (LIVE_LEASE_STATES as readonly string[]).includes(state));
  // An earlier copy whose end was asked for is a live copy until it is proven dead.
  const dying = leases.find(({ state }) => state === 'revoking' || state === 'stuck');
  if (dying && credential.spec.shape === 'revocable')
    throw new NotReady('an earlier copy of this credential is still being revoked; ask again');
  if (live?.state === 'minting') throw new NotReady('this credential is being minted; ask again');
  const handsOut = live !== undefined && (!live.deliveredAt || credential.spec.shape === 'static');
  if (!handsOut) {
    await keepQuota(tx, fetch, grant);
    await keepBudget(tx, fetch, grant);
  }
  return { fetch, grant, credential, live, handsOut };
}

/** Asks for the end of earlier copies; then counts the fetches, notes the copies that are handed out, and writes the intents of the others. */
async function write(tx: Sql, at: Date, plans: readonly Plan[]): Promise<ReadonlyMap<Fetch, Reserved>> {
  const [ready, fresh] = [plans.filter(({ handsOut }) => handsOut), plans.filter(({ handsOut }) => !handsOut)];
  const superseded = new Map<Fetch, Lease | undefined>();
  for (const { fetch, grant, credential, live } of fresh) {
    if (live) superseded.set(fetch, await endLease(tx, grant, credential, live, { cause: 'superseded', by: 'delivery', at }));
  }
  failpoint('C5');
  const { credentials, intended } = await noteFetches(tx, {
    counted: plans.map(({ credential }) => credential),
    handedOut: ready.map(({ live }) => live!.ref),
    intents: fresh.map(({ fetch, grant, credential }) => ({
      grant,
      credential: { ...credential, policyDigest: fetch.decision!.policyDigest },
      minter: 'delivery',
      at,
    })),
    at,
  });
  return new Map(
    plans.map((each) => [
      each.fetch,
      {
        grant: each.grant,
        credential: credentials.find(({ grantId }) => grantId === each.grant.id)!,
        lease: each.handsOut ? { ...each.live!, deliveredAt: at } : intended[fresh.indexOf(each)]!,
        superseded: superseded.get(each.fetch),
      },
    ]),
  );
}

/** @throws QuotaExceeded when one more mint would be more than the tenant, orchestrator or agent may have; nothing of this fetch counts then */
async function keepQuota(tx: Sql, { on, policySet, agent }: Fetch, { tenant, source }: Grant): Promise<void> {
  if (!policySet) throw new TypeError('reserveLease comes after decideAgain');
  const bounds = quotaBounds(policySet, source, agent);
  const owner = { tenant, source, agentId: agent };
  const exceeded = await on.quotas.exceeded(tx, owner, bounds, { mintsPerMinute: 1 });
  if (!exceeded) return on.quotas.willWrite(tx, owner, bounds, { mintsPerMinute: 1 });
  refusals.add(1, { [ATTRIBUTES.quota]: exceeded.quota, [ATTRIBUTES.quotaScope]: exceeded.scope });
  throw new QuotaExceeded();
}
