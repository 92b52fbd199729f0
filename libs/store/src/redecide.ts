/**
 * Deciding a live grant again, and asking for the end of exactly what it lost: the one way in which drift of any kind reaches leases.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import { LIVE_LEASE_STATES, tighterLimits, underLimits, type Credential, type Grant, type Lease } from '@mayfly/grant';
import { decideGrant, shiftOf, type LiveGrant, type Policy, type Redecided, type Shift } from '@mayfly/policy';
import type { Sql } from '@mayfly/postgres';
import { noteBehaviourDecided } from './behaviour.js';
import { credentialsOf, tightenSpec } from './credentials.js';
import { endLease } from './ending.js';
import { stateFact } from './evidence.js';
import { amendGrant, lockGrant, lockLiveChildren } from './grants.js';
import { amendLease, leasesOf } from './leases.js';
import { aboveOf } from './live-grant.js';
import { stateShadow } from './state-shadow.js';
import { narrowToken } from './token-scope.js';

/** Why a grant is looked at again, and who looks. */
export interface Look extends Shift {
  readonly by: string;
  readonly at: Date;
  /** CloudEvents id, or `jti`, of what made him look. */
  readonly causeEventId?: string | undefined;
}

/** What is known about the task since; only what is given changes. */
export type NewFacts = Partial<Pick<Grant, 'risk' | 'initiatorOffboarded'>>;

/** What deciding again came to. */
export interface Outcome {
  readonly grant: Grant;
  /** Leases that were asked to end, those of its sub-tasks with them. */
  readonly lost: number;
}

/**
 * Decides one live grant again under its lock, and its sub-tasks when it lost something. What is still permitted goes on untouched.
 * @param policy the set that is current in this transaction
 * @returns undefined when there is nothing to decide: the grant is not live, or it rests on this set already and nothing else is new
 */
export async function redecide(tx: Sql, policy: Policy, id: GrantId, look: Look, facts?: NewFacts): Promise<Outcome | undefined> {
  const locked = await lockGrant(tx, id);
  if (locked?.state !== 'granted' || !locked.request) return undefined;
  // Another replica was faster.
  if (!facts && look.drift === 'policy_set' && locked.policyDigest === policy.set.digest) return undefined;
  // INVARIANT: the higher of the start's risk and every signal since counts until the task ends.
  const grant = { ...locked, ...facts, risk: Math.max(locked.risk, facts?.risk ?? 0) };
  const live = { grant, credentials: await credentialsOf(tx, id), parent: await aboveOf(tx, grant) };
  return { grant, lost: await settle(tx, policy, live, look) };
}

async function settle(tx: Sql, policy: Policy, live: LiveGrant, look: Look): Promise<number> {
  const { grant } = live;
  const { tenant, taskId } = grant;
  const leases = (await leasesOf(tx, grant.id)).filter(({ state }) => (LIVE_LEASE_STATES as readonly string[]).includes(state));
  let lost = 0;
  let narrowed = false;
  for (const one of await decideGrant(policy.decider, live, look.at)) {
    const own = leases.filter(({ name }) => name === one.credential.name);
    narrowed ||= !one.kept;
    const { credential, decision } = one;
    await stateShadow(tx, [{ by: look.by, tenant, taskId, action: 'fetch', target: credential.capability, at: look.at, decision }]);
    lost += one.kept ? await keep(tx, policy, grant, one, own, look) : await lose(tx, grant, one, own, look);
  }
  const { risk, initiatorOffboarded } = grant;
  await amendGrant(tx, grant.id, 'granted', {
    policyDigest: policy.set.digest,
    risk,
    ...(initiatorOffboarded !== undefined && { initiatorOffboarded }),
  });
  await noteBehaviourDecided(tx, grant);
  return narrowed ? lost + (await settleChildren(tx, policy, live, look)) : lost;
}

/** At once, and in the same transaction: a sub-task never has more than the task that it works for. */
async function settleChildren(tx: Sql, policy: Policy, parent: LiveGrant, look: Look): Promise<number> {
  let lost = 0;
  for (const grant of await lockLiveChildren(tx, [parent.grant.id])) {
    if (grant.state !== 'granted') continue;
    lost += await settle(tx, policy, { grant, credentials: await credentialsOf(tx, grant.id), parent }, look);
  }
  return lost;
}

async function lose(tx: Sql, grant: Grant, redecided: Redecided, leases: readonly Lease[], look: Look): Promise<number> {
  const { credential, decision } = redecided;
  // What was lost before, and has nothing that lives, is not lost again.
  if (grant.lostCapabilities?.includes(credential.capability) && leases.length === 0) return 0;
  const { cause, drift } = shiftOf(redecided, look);
  await stateFact(tx, {
    ...about(grant, look),
    kind: 'dev.mayfly.evidence.permit-lost.v1',
    data: {
      credential: credential.name,
      capability: credential.capability,
      cause,
      drift,
      risk: grant.risk,
      decisionId: decision.id,
      policyDigest: decision.policyDigest,
      intentDigest: decision.intentDigest,
      reasons: redecided.parentNarrowed ? ['exceeds-parent'] : decision.reasons,
      policies: decision.policies,
      causationId: look.causeEventId,
    },
  });
  await narrowToken(tx, grant.id, [credential.capability], look.at);
  for (const lease of leases) await endLease(tx, grant, credential, lease, { ...look, cause, drift });
  return leases.length;
}

/** Keeps a permit, within the limits that the catalogue has now. */
async function keep(
  tx: Sql,
  { set }: Policy,
  grant: Grant,
  { credential }: Redecided,
  leases: readonly Lease[],
  look: Look,
): Promise<number> {
  const entry = set.capability(credential.capability);
  const tightened = entry && credential.spec && tighterLimits(credential.spec, entry);
  if (!tightened) return 0;
  await tightenSpec(tx, credential, tightened);
  let lost = 0;
  for (const lease of leases) lost += await shorten(tx, grant, { ...credential, spec: tightened }, lease, look);
  return lost;
}

/** A lease ends when its new limit is over: later by the watch over expiries where we can end it then, now where not. */
async function shorten(tx: Sql, grant: Grant, credential: Credential, lease: Lease, look: Look): Promise<number> {
  const until = underLimits(credential.spec!, lease, look.at);
  if (until === 'goes-on') return 0;
  if (until === 'ends')
    return (await endLease(tx, grant, credential, lease, { ...look, cause: 'policy_drift', drift: 'catalogue' })) ? 1 : 0;
  await amendLease(tx, lease.ref, ['active'], { expiresAt: until });
  await stateFact(tx, {
    ...about(grant, look),
    kind: 'dev.mayfly.evidence.lease-shortened.v1',
    data: {
      credential: credential.name,
      capability: credential.capability,
      leaseRef: lease.ref,
      drift: 'catalogue',
      from: lease.expiresAt?.toISOString(),
      to: until.toISOString(),
    },
  });
  return 0;
}

const about = ({ tenant, taskId }: Grant, { by, at }: Look) => ({ tenant, taskId, by, at: at.toISOString() });
