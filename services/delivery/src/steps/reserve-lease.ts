import { FetchLimit, newLeaseRef, NotReady, TaskClosed } from '@mayfly/domain';
import { LIVE_LEASE_STATES, type Credential, type Grant, type Lease } from '@mayfly/grant';
import {
  amendLease,
  countFetch,
  currentPolicyDigest,
  endLease,
  findLease,
  intendLease,
  leasesOf,
  lockCredential,
  lockGrant,
  stateFact,
  type Sql,
} from '@mayfly/store';
import type { Fetch } from '../fetch.js';

/**
 * Decides in the ledger which copy is handed out, before anything exists: the one from the start if nobody has it yet, or a fresh one,
 * for which the earlier one has to die. Two fetches of one credential come one after the other.
 */
export async function reserveLease(known: Fetch): Promise<void> {
  const { on, grant: seen, decision, name } = known;
  if (!seen || !decision) throw new TypeError('reserveLease comes after decideAgain');
  await on.database.transaction('reserve lease', async (tx) => {
    const grant = await lockGrant(tx, seen.id);
    if (grant?.state !== 'granted') throw new TaskClosed();
    // INVARIANT: drift decides a grant again under this same lock. Either it sees the intent that is written here, or we see its policy set.
    if ((await currentPolicyDigest(tx)) !== decision.policyDigest) throw new NotReady('the policy set changed this very moment; ask again');
    const credential = await lockCredential(tx, grant.id, name);
    if (!credential?.spec) throw new TypeError('a permitted credential has a specification');
    if (credential.fetches >= credential.spec.maxFetches) throw new FetchLimit();
    const leases = await leasesOf(tx, grant.id);
    const live = leases.find((lease) => lease.name === name && (LIVE_LEASE_STATES as readonly string[]).includes(lease.state));
    if (live?.state === 'minting') throw new NotReady('this credential is being minted; ask again');
    known.grant = grant;
    known.credential = await countFetch(tx, grant.id, name);
    if (live && (!live.deliveredAt || credential.spec.shape === 'static')) {
      known.lease = (await amendLease(tx, live.ref, ['active'], { deliveredAt: on.clock.now() })) ?? live;
      return;
    }
    known.superseded = live && (await endLease(tx, grant, credential, live, { cause: 'superseded', by: 'delivery', at: on.clock.now() }));
    known.lease = await intend(tx, grant, credential, on.clock.now());
  });
}

/** INVARIANT: intent precedes effect. */
async function intend(tx: Sql, grant: Grant, credential: Credential, at: Date): Promise<Lease> {
  const ref = newLeaseRef();
  if (!(await intendLease(tx, { ref, grantId: grant.id, name: credential.name, minter: 'delivery', intendedAt: at }))) throw new NotReady();
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.mint-intended.v1',
    at: at.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: 'delivery',
    data: { credential: credential.name, capability: credential.capability, leaseRef: ref },
  });
  const lease = await findLease(tx, ref);
  if (!lease) throw new TypeError('an intent that was just written is not there');
  return lease;
}
