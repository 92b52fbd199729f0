/**
 * One live grant looked at again, in a transaction, a span and a count of its own.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { Policy } from '@mayfly/policy';
import { heedVault, redecide, type CurrentPolicy, type Database, type FoundGrant, type Look, type NewFacts } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS, withSpan } from '@mayfly/telemetry';

/** What looking again works with. */
export interface LookDependencies {
  readonly database: Database;
  readonly policies: CurrentPolicy<Policy>;
  readonly clock: Clock;
}

const redecisions = counter(METRICS.redecisions);
/** Grants that are decided side by side. */
const AT_ONCE = 4;

/** Decides one live grant again by the set that is current now. */
export async function lookAgain(
  { database, policies, clock }: LookDependencies,
  { id, traceparent }: FoundGrant,
  why: Omit<Look, 'by' | 'at'>,
  facts?: NewFacts,
): Promise<void> {
  const attributes = { [ATTRIBUTES.grantId]: id, [ATTRIBUTES.cause]: why.cause, [ATTRIBUTES.drift]: why.drift };
  await withSpan(SPANS.redecide, { parent: traceparent ? { traceparent } : undefined, attributes }, async (span) => {
    const outcome = await database.transaction('decide again', async (tx) => {
      const policy = await heedVault(tx, await policies.get(tx), 'revoked');
      span.set({ [ATTRIBUTES.policyDigest]: policy.set.digest });
      return redecide(tx, policy, id, { ...why, by: 'drift', at: clock.now() }, facts);
    });
    if (!outcome) return;
    span.set({ [ATTRIBUTES.taskId]: outcome.grant.taskId });
    redecisions.add(1, { [ATTRIBUTES.outcome]: outcome.lost > 0 ? 'lost' : 'kept' });
  });
}

/** The same for many, a few side by side. */
export async function lookAgainAt(
  on: LookDependencies,
  grants: readonly FoundGrant[],
  why: Omit<Look, 'by' | 'at'>,
  facts?: NewFacts,
): Promise<void> {
  const queue = [...grants];
  const work = async (): Promise<void> => {
    for (let grant = queue.shift(); grant; grant = queue.shift()) await lookAgain(on, grant, why, facts);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Counts grants that another set cannot touch: they go on without being decided again. */
export const countSpared = (grants: number): void => redecisions.add(grants, { [ATTRIBUTES.outcome]: 'spared' });
