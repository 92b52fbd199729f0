/**
 * Deciding a live grant again: the one rule by which drift ends leases and a plan foretells it.
 * @module
 */
import { factsOf, type Credential, type Grant } from '@mayfly/grant';
import type { Decider, Decision } from './decision.js';

/** A live grant with what it asked for. */
export interface LiveGrant {
  readonly grant: Grant;
  readonly credentials: readonly Credential[];
  /** The task that it works for, where there is one: it never has more than that. */
  readonly parent?: LiveGrant | undefined;
}

/** What one permit of the start has become. */
export interface Redecided {
  readonly credential: Credential;
  readonly decision: Decision;
  /** True when its own decision is not what is missing: the task that it works for may not have it any more. */
  readonly parentNarrowed: boolean;
  /** True when it may go on: only a permit keeps. */
  readonly kept: boolean;
}

/**
 * Decides again what a grant was permitted at its start. What was denied then stays denied; what was lost by an earlier set is kept again
 * when this one permits it.
 */
export async function decideGrant(decider: Decider, { grant, credentials, parent }: LiveGrant, at: Date): Promise<readonly Redecided[]> {
  if (!grant.request) return [];
  const task = factsOf(grant, grant.request);
  const above = parent && keptOf(await decideGrant(decider, parent, at));
  const handedOn = await decideDelegation(decider, task.agent, parent, at);
  const redecided: Redecided[] = [];
  for (const credential of credentials) {
    if (!credential.permitted) continue;
    const { capability } = credential;
    const decision = handedOn ?? (await decider.decide({ action: 'fetch', capability, pinned: credential.spec, task, at }));
    const permitted = decision.decision === 'permit';
    const parentNarrowed = permitted && above !== undefined && !above.has(capability);
    redecided.push({ credential, decision, parentNarrowed, kept: permitted && !parentNarrowed });
  }
  return redecided;
}

/**
 * Why the parent may not have its work done by this agent any more; undefined when it may. A narrowed parent hands nothing new on, but what
 * works for it already keeps what the parent keeps.
 */
async function decideDelegation(decider: Decider, to: string, parent: LiveGrant | undefined, at: Date): Promise<Decision | undefined> {
  if (!parent?.grant.request) return undefined;
  const decision = await decider.decide({ action: 'delegate', to, task: factsOf(parent.grant, parent.grant.request), at });
  return decision.decision === 'permit' || decision.reasons.includes('task-narrowed') ? undefined : decision;
}

const keptOf = (redecided: readonly Redecided[]): ReadonlySet<string> =>
  new Set(redecided.filter(({ kept }) => kept).map(({ credential }) => credential.capability));
