/**
 * Writing down what came of attempts, of many grants in one transaction: only what is proven is written and announced.
 * @module
 */
import { credentialRevoked, revocationStuck, type Grant, type Lease } from '@mayfly/grant';
import { STUCK_AFTER_ATTEMPTS, taints, type Doomed, type Verdict } from '@mayfly/revocation';
import type { OutEvent } from '@mayfly/domain';
import { amendGrant, amendLease, emit, emitAll, stateFacts, transitionLease, transitionLeases, waitBriefly } from '@mayfly/store';
import type { Sql, StatedFact } from '@mayfly/store';
import { ATTRIBUTES, counter, histogram, METRICS } from '@mayfly/telemetry';

/** What came of one grant's attempt. */
export interface Conclusion {
  readonly grant: Grant;
  readonly verdicts: readonly (readonly [Doomed, Verdict])[];
  /** Failed attempts in a row, this one among them. */
  readonly attempts: number;
  /** Leases that were stuck before: that was said already. */
  readonly stuckBefore: ReadonlySet<string>;
  /** Code of why the token lives although it shall not; undefined when it does not, or may. */
  readonly tokenProblem?: string | undefined;
  readonly at: Date;
  /** The trace of this attempt: others are written down in the same transaction. */
  readonly traceparent?: string | undefined;
}

type Over = Extract<Verdict, { kind: 'over' }>;
interface Death {
  readonly conclusion: Conclusion;
  readonly doomed: Doomed;
  readonly verdict: Over;
}

const revocations = counter(METRICS.revocations);
const tainted = counter(METRICS.secretsTainted);
const duration = histogram(METRICS.revocationDuration);

/** Writes all of them, in the caller's transaction. */
export async function concludeAll(tx: Sql, conclusions: readonly Conclusion[]): Promise<void> {
  await waitBriefly(tx);
  const events = await writeConclusions(tx, conclusions);
  await emitAll(tx, 'revoker', events, conclusions.map(taskOf));
}

/** Whether an attempt has shown anything that is not in the ledger. */
export const hasNews = ({ grant, verdicts, attempts, tokenProblem }: Conclusion): boolean =>
  attempts !== grant.revokeAttempts || tokenProblem !== undefined || verdicts.some(([, { kind }]) => kind !== 'later');

/** Whose waiters are told: a fetch may be waiting for the earlier copy to be dead. */
export const taskOf = ({ grant }: Conclusion): string => grant.taskId;

/** The same without its events. @returns them, for who has more to announce */
export async function writeConclusions(tx: Sql, conclusions: readonly Conclusion[]): Promise<OutEvent[]> {
  for (const { grant, attempts } of conclusions)
    if (attempts !== grant.revokeAttempts) await amendGrant(tx, grant.id, grant.state, { revokeAttempts: attempts });
  const { events, facts } = await writeDeaths(tx, conclusions.flatMap(deathsIn));
  for (const conclusion of conclusions)
    for (const [doomed, verdict] of conclusion.verdicts)
      if (verdict.kind === 'alive') await noteSurvivor(tx, conclusion, doomed, verdict.problem);
  const stuck = conclusions.flatMap((one) =>
    one.tokenProblem !== undefined && one.attempts === STUCK_AFTER_ATTEMPTS ? [fact(one, 'token-stuck', { reason: one.tokenProblem })] : [],
  );
  await stateFacts(tx, [...facts, ...stuck]);
  return events;
}

const deathsIn = (conclusion: Conclusion): Death[] =>
  conclusion.verdicts.flatMap(([doomed, verdict]) => (verdict.kind === 'over' ? [{ conclusion, doomed, verdict }] : []));

async function writeDeaths(tx: Sql, deaths: readonly Death[]): Promise<{ events: OutEvent[]; facts: StatedFact[] }> {
  const events: OutEvent[] = [];
  const facts: StatedFact[] = [];
  for (const [state, same] of Map.groupBy(deaths, ({ verdict }) => verdict.state)) {
    const byRef = new Map(same.map((death) => [death.doomed.lease.ref, death]));
    const changes = same.map(({ conclusion, doomed, verdict }) => ({
      ref: doomed.lease.ref,
      patch: { confirmedAt: conclusion.at, proof: verdict.proof },
    }));
    for (const over of await transitionLeases(tx, ['revoking'], state, changes)) {
      const death = byRef.get(over.ref)!;
      if (state === 'revoked') events.push(revokedEvent(death, over));
      else facts.push(overFact(death, over));
      if (isTainted(death, over)) facts.push(taintFact(death, over));
      count(death, over);
    }
  }
  return { events, facts };
}

const revokedEvent = ({ conclusion: { grant, at, traceparent }, doomed: { credential } }: Death, over: Lease): OutEvent => ({
  ...(traceparent && { traceparent }),
  ...credentialRevoked(grant, credential, over, { at, causationId: over.causeEventId }),
});

const fact = ({ grant, at, traceparent }: Conclusion, what: string, data: Readonly<Record<string, unknown>>): StatedFact => ({
  kind: `dev.mayfly.evidence.${what}.v1`,
  at: at.toISOString(),
  tenant: grant.tenant,
  taskId: grant.taskId,
  by: 'revoker',
  data,
  traceparent,
});

const overFact = ({ conclusion, doomed: { lease, credential }, verdict }: Death, over: Lease): StatedFact =>
  fact(conclusion, `credential-${verdict.state === 'expired' ? 'expired' : 'access-ended'}`, {
    credential: lease.name,
    capability: credential.capability,
    shape: credential.spec?.shape,
    leaseRef: lease.ref,
    cause: over.cause,
    proof: verdict.proof,
  });

const isTainted = ({ doomed: { credential } }: Death, over: Lease): boolean =>
  credential.spec !== undefined && taints(credential.spec, over);

const taintFact = ({ conclusion, doomed: { lease, credential } }: Death, over: Lease): StatedFact =>
  fact(conclusion, 'secret-tainted', {
    credential: lease.name,
    capability: credential.capability,
    leaseRef: lease.ref,
    cause: over.cause,
    what: over.principal,
  });

function count({ conclusion: { at }, doomed: { credential } }: Death, over: Lease): void {
  const labels = { [ATTRIBUTES.cause]: over.cause, [ATTRIBUTES.shape]: credential.spec?.shape };
  revocations.add(1, labels);
  if (credential.spec && taints(credential.spec, over))
    tainted.add(1, { [ATTRIBUTES.capability]: credential.capability, [ATTRIBUTES.cause]: over.cause });
  if (over.requestedAt) duration.record((at.getTime() - over.requestedAt.getTime()) / 1000, labels);
}

/** Giving up is a state, never an end: `stuck` is announced once, alarmed while it lasts, and tried for ever. */
async function noteSurvivor(
  tx: Sql,
  { grant, attempts, stuckBefore, at, traceparent }: Conclusion,
  { lease, credential }: Doomed,
  problem: string,
): Promise<void> {
  if (attempts < STUCK_AFTER_ATTEMPTS) {
    await amendLease(tx, lease.ref, ['revoking'], { lastProblem: problem });
    return;
  }
  const stuck = await transitionLease(tx, lease.ref, 'revoking', 'stuck', { lastProblem: problem });
  if (!stuck || stuckBefore.has(lease.ref)) return;
  const event = revocationStuck({ ...grant, revokeAttempts: attempts }, credential, stuck, { at, causationId: stuck.causeEventId });
  await emit(tx, 'revoker', { ...(traceparent && { traceparent }), ...event });
}
