import { FetchLimit, NotReady, QuotaExceeded, TaskClosed } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { LIVE_LEASE_STATES, mayUse, type Grant } from '@mayfly/grant';
import { quotaBounds } from '@mayfly/policy';
import {
  amendLease,
  countFetch,
  currentPolicyDigest,
  endLease,
  intendMint,
  leasesOf,
  lockCredential,
  lockGrant,
  type Sql,
} from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';
import type { Fetch } from '../fetch.js';
import { keepBudget, OverBudget, refuseOverBudget } from './keep-budget.js';

const refusals = counter(METRICS.quotaRefusals);

/**
 * Decides in the ledger which copy is handed out, before anything exists: the one from the start if nobody has it yet, or a fresh one,
 * for which the earlier one has to die. Two fetches of one credential come one after the other.
 */
export async function reserveLease(known: Fetch): Promise<void> {
  const { on, grant: seen, decision, name } = known;
  if (!seen || !decision) throw new TypeError('reserveLease comes after decideAgain');
  failpoint('C4');
  const reserving = on.database.transaction('reserve lease', async (tx) => {
    const grant = await lockGrant(tx, seen.id);
    if (grant?.state !== 'granted') throw new TaskClosed();
    // INVARIANT: drift decides a grant again under this same lock. Either it sees the intent that is written here, or we see its policy set.
    if ((await currentPolicyDigest(tx)) !== decision.policyDigest) throw new NotReady('the policy set changed this very moment; ask again');
    if (grant.risk !== seen.risk || grant.behaviour !== seen.behaviour || grant.initiatorOffboarded !== seen.initiatorOffboarded)
      throw new NotReady('what this was decided on changed this very moment; ask again');
    const credential = await lockCredential(tx, grant.id, name);
    if (credential && !mayUse(grant, credential.capability)) throw new NotReady('this was lost this very moment; ask again');
    if (!credential?.spec) throw new TypeError('a permitted credential has a specification');
    if (credential.fetches >= credential.spec.maxFetches) throw new FetchLimit();
    const leases = await leasesOf(tx, grant.id);
    const live = leases.find((lease) => lease.name === name && (LIVE_LEASE_STATES as readonly string[]).includes(lease.state));
    // An earlier copy whose end was asked for is a live copy until it is proven dead.
    const dying = leases.find((lease) => lease.name === name && (lease.state === 'revoking' || lease.state === 'stuck'));
    if (dying && credential.spec.shape === 'revocable')
      throw new NotReady('an earlier copy of this credential is still being revoked; ask again');
    if (live?.state === 'minting') throw new NotReady('this credential is being minted; ask again');
    known.grant = grant;
    known.credential = await countFetch(tx, grant.id, name);
    if (live && (!live.deliveredAt || credential.spec.shape === 'static')) {
      known.lease = (await amendLease(tx, live.ref, ['active'], { deliveredAt: on.clock.now() })) ?? live;
      return;
    }
    await keepQuota(tx, known, grant);
    await keepBudget(tx, known, grant);
    known.superseded = live && (await endLease(tx, grant, credential, live, { cause: 'superseded', by: 'delivery', at: on.clock.now() }));
    failpoint('C5');
    const intent = await intendMint(tx, grant, { ...credential, policyDigest: decision.policyDigest }, 'delivery', on.clock.now());
    if (!intent) throw new NotReady();
    known.lease = intent;
  });
  await reserving.catch((error: unknown) => {
    if (error instanceof OverBudget) return refuseOverBudget(known);
    throw error;
  });
}

/** @throws QuotaExceeded when one more mint would be more than the tenant, orchestrator or agent may have; nothing of this fetch counts then */
async function keepQuota(tx: Sql, { on, policySet, agent }: Fetch, { tenant, source }: Grant): Promise<void> {
  if (!policySet) throw new TypeError('reserveLease comes after decideAgain');
  const bounds = quotaBounds(policySet, source, agent);
  const exceeded = await on.quotas.exceeded(tx, { tenant, source, agentId: agent }, bounds, { mintsPerMinute: 1 });
  if (!exceeded) return;
  refusals.add(1, { [ATTRIBUTES.quota]: exceeded.quota, [ATTRIBUTES.quotaScope]: exceeded.scope });
  throw new QuotaExceeded();
}
