/**
 * What another policy set would mean, without applying it: by the rules that drift and the issuer decide by.
 * @module
 */
import { factsOf, type Credential, type Grant } from '@mayfly/grant';
import { decideGrant, type LiveGrant, type Redecided } from './decide-grant.js';
import { REASONS, type Decider, type Decision } from './decision.js';

/** The two sets that are compared. */
export interface Comparison {
  /** The set in force; undefined where there is none, or none that can be used. */
  readonly before: Decider | undefined;
  readonly after: Decider;
  /** False for a grant about which both sets answer alike, so that applying the new one would not touch it. */
  readonly affects: (live: LiveGrant) => boolean;
}

/** What would become of one permit of a live grant. */
export interface Change {
  readonly credential: Credential;
  /** By the new set. */
  readonly decision: Decision;
  readonly parentNarrowed: boolean;
}

/** What would become of a live grant. */
export interface GrantForecast {
  /** Permits without which the grant would be; whatever live lease there is under them would end. */
  readonly lost: readonly Change[];
  /** Permits that it had at its start, has not by the set in force, and would have again. */
  readonly gained: readonly Change[];
}

/** Foretells what applying the new set does to one live grant at this moment. */
export async function forecastGrant({ before, after, affects }: Comparison, live: LiveGrant, at: Date): Promise<GrantForecast> {
  if (!affects(live)) return { lost: [], gained: [] };
  const then = await decideGrant(after, live, at);
  const now = before && (await decideGrant(before, live, at));
  const isKeptNow = ({ credential }: Redecided): boolean =>
    now?.find((one) => one.credential.name === credential.name)?.kept ?? credential.permitted;
  return {
    lost: then.filter(({ kept }) => !kept),
    gained: then.filter((one) => one.kept && !isKeptNow(one)),
  };
}

/**
 * Decides a recorded start again, with the facts of then: the risk that was declared, at the moment when it was decided.
 * @returns the new decision where it is another one; undefined where it is the same, or was not policy's to make
 */
export async function flipOf(decider: Decider, grant: Grant, credential: Credential): Promise<Decision | undefined> {
  const { request } = grant;
  if (!request || !credential.reasons.every((reason) => (REASONS as readonly string[]).includes(reason))) return undefined;
  const task = { ...factsOf(grant, request), risk: request.risk };
  const decision = await decider.decide({ action: 'mint', capability: credential.capability, task, at: grant.openedAt });
  return (decision.decision === 'permit') === credential.permitted ? undefined : decision;
}
