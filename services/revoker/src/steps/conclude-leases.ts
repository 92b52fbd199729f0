import { earliest } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { credentialRevoked, revocationStuck } from '@mayfly/grant';
import { nextAttemptAt, STUCK_AFTER_ATTEMPTS, taints, type Doomed, type Verdict } from '@mayfly/revocation';
import { amendGrant, amendLease, announceTask, emit, stateFact, transitionLease, type Sql } from '@mayfly/store';
import { ATTRIBUTES, counter, histogram, METRICS } from '@mayfly/telemetry';
import type { Killing } from '../killing.js';

const revocations = counter(METRICS.revocations);
const tainted = counter(METRICS.secretsTainted);
const duration = histogram(METRICS.revocationDuration);

/** Writes what is proven, and only that; says when to look at the rest again. */
export async function concludeLeases(known: Killing): Promise<void> {
  const { database, clock, grant, verdicts = [], problems } = known;
  if (!grant) throw new TypeError('concludeLeases comes after findDoomed');
  const now = clock.now();
  const tokenLives = grant.state === 'closing' && known.tokenProof === undefined;
  const failed = tokenLives || known.remains === true || verdicts.some(([, verdict]) => verdict.kind === 'alive');
  const attempts = failed ? grant.revokeAttempts + 1 : 0;
  const retry = failed ? [nextAttemptAt(attempts, now)] : [];
  const later = verdicts.flatMap(([, verdict]) => (verdict.kind === 'later' ? [verdict.at] : []));
  const [soonest, ...rest] = [...retry, ...later];
  known.next = soonest ? earliest(soonest, ...rest) : null;
  if (verdicts.some(([, verdict]) => verdict.kind === 'over')) failpoint('C13');
  await database.transaction('conclude leases', async (tx) => {
    if (attempts !== grant.revokeAttempts) await amendGrant(tx, grant.id, grant.state, { revokeAttempts: attempts });
    for (const [doomed, verdict] of verdicts) {
      if (verdict.kind === 'over') await conclude(tx, known, doomed, verdict, now);
      if (verdict.kind === 'alive') await noteSurvivor(tx, known, doomed, verdict.problem, attempts, now);
    }
    // A fetch may be waiting for the earlier copy to be dead.
    await announceTask(tx, grant.taskId);
    if (tokenLives && attempts === STUCK_AFTER_ATTEMPTS)
      await noteLivingToken(tx, known, problems?.get('token') ?? 'token-still-known', now);
  });
}

async function conclude(
  tx: Sql,
  { grant }: Killing,
  { lease, credential }: Doomed,
  verdict: Extract<Verdict, { kind: 'over' }>,
  now: Date,
): Promise<void> {
  const over = await transitionLease(tx, lease.ref, 'revoking', verdict.state, { confirmedAt: now, proof: verdict.proof });
  if (!over || !grant) return;
  if (verdict.state === 'revoked')
    await emit(tx, 'revoker', credentialRevoked(grant, credential, over, { at: now, causationId: over.causeEventId }));
  else
    await stateFact(tx, {
      kind: `dev.mayfly.evidence.credential-${verdict.state === 'expired' ? 'expired' : 'access-ended'}.v1`,
      at: now.toISOString(),
      tenant: grant.tenant,
      taskId: grant.taskId,
      by: 'revoker',
      data: {
        credential: lease.name,
        capability: credential.capability,
        shape: credential.spec?.shape,
        leaseRef: lease.ref,
        cause: over.cause,
        proof: verdict.proof,
      },
    });
  if (credential.spec && taints(credential.spec, over)) {
    tainted.add(1, { [ATTRIBUTES.capability]: credential.capability, [ATTRIBUTES.cause]: over.cause });
    await stateFact(tx, {
      kind: 'dev.mayfly.evidence.secret-tainted.v1',
      at: now.toISOString(),
      tenant: grant.tenant,
      taskId: grant.taskId,
      by: 'revoker',
      data: { credential: lease.name, capability: credential.capability, leaseRef: lease.ref, cause: over.cause, what: over.principal },
    });
  }
  const labels = { [ATTRIBUTES.cause]: over.cause, [ATTRIBUTES.shape]: credential.spec?.shape };
  revocations.add(1, labels);
  if (over.requestedAt) duration.record((now.getTime() - over.requestedAt.getTime()) / 1000, labels);
}

/** Giving up is a state, never an end: `stuck` is announced once, alarmed while it lasts, and tried for ever. */
async function noteSurvivor(
  tx: Sql,
  { grant, stuckBefore }: Killing,
  { lease, credential }: Doomed,
  problem: string,
  attempts: number,
  now: Date,
): Promise<void> {
  if (attempts < STUCK_AFTER_ATTEMPTS) {
    await amendLease(tx, lease.ref, ['revoking'], { lastProblem: problem });
    return;
  }
  const stuck = await transitionLease(tx, lease.ref, 'revoking', 'stuck', { lastProblem: problem });
  if (stuck && grant && !stuckBefore?.has(lease.ref)) {
    await emit(
      tx,
      'revoker',
      revocationStuck({ ...grant, revokeAttempts: attempts }, credential, stuck, { at: now, causationId: stuck.causeEventId }),
    );
  }
}

async function noteLivingToken(tx: Sql, { grant }: Killing, problem: string, now: Date): Promise<void> {
  if (!grant) return;
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.token-stuck.v1',
    at: now.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: 'revoker',
    data: { reason: problem },
  });
}
