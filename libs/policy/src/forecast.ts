/**
 * What another policy set would mean, without applying it: by the rules that drift and the issuer decide by.
 * @module
 */
import type { TaskFacts } from '@mayfly/domain';
import { factsOf, tighterLimits, underLimits, type Credential, type Grant, type Lease } from '@mayfly/grant';
import { decideGrant, type LiveGrant } from './decide-grant.js';
import { REASONS, type Decider, type Decision, type Reason } from './decision.js';
import type { Policy } from './policy.js';
import type { PolicySet } from './policy-set.js';

/** The two sets that are compared. */
export interface Comparison {
  /** The set in force; undefined where there is none, or none that can be used. */
  readonly before: Policy | undefined;
  readonly after: Policy;
  /** Capabilities in Vault that are not what the set declares: nothing of them is fetched. Whether that ends leases too is the deciders' to say. */
  readonly drifted: { readonly before: ReadonlySet<string>; readonly after: ReadonlySet<string> };
  /** False for a grant about which both sets answer alike, so that applying the new one would not touch it. */
  readonly affects: (live: LiveGrant) => boolean;
}

/** What would become of one permit of a live grant. */
export interface Change {
  readonly credential: Credential;
  /** `lost` and `gained`: it has it now and would not, or the other way round. What it had at its start only counts as gained. */
  readonly permit: 'lost' | 'gained' | 'same';
  /** Live leases that would end at once. */
  readonly ends: readonly Lease[];
  readonly reasons: readonly string[];
  readonly policies: readonly string[];
}

/**
 * Foretells what applying the new set does to one live grant at this moment.
 * @param leases those of the grant that are live
 * @returns only what changes something
 */
export async function forecastGrant(
  { before, after, drifted, affects }: Comparison,
  live: LiveGrant,
  leases: readonly Lease[],
  at: Date,
): Promise<readonly Change[]> {
  if (!affects(live)) return [];
  const now = before && (await decideGrant(before.decider, live, at));
  const changes = (await decideGrant(after.decider, live, at)).map((one): Change => {
    const { credential, decision, parentNarrowed, kept } = one;
    const { capability } = credential;
    const keptNow = now?.find((other) => other.credential.name === credential.name)?.kept ?? true;
    const gives = kept && !drifted.after.has(capability);
    const givesNow = keptNow && !drifted.before.has(capability);
    const own = leases.filter(({ name }) => name === credential.name);
    const tightened = kept && tightenedBy(after.set, credential);
    return {
      credential,
      permit: gives === givesNow ? 'same' : gives ? 'gained' : 'lost',
      ends: kept ? own.filter((lease) => tightened && underLimits(tightened, lease, at) === 'ends') : own,
      reasons: parentNarrowed
        ? ['exceeds-parent']
        : kept && !gives
          ? ['vault-drift']
          : kept && tightened
            ? ['catalogue-changed']
            : decision.reasons,
      policies: kept && !gives ? [] : decision.policies,
    };
  });
  return changes.filter(({ permit, ends }) => permit !== 'same' || ends.length > 0);
}

const tightenedBy = (set: PolicySet, { capability, spec }: Credential) => {
  const entry = set.capability(capability);
  return entry && spec && tighterLimits(spec, entry);
};

/** Reasons of a decider that another set would not have moved: how things stood in Vault, with the task above, with whoever decides. */
const NOT_POLICY: ReadonlySet<string> = new Set<Reason>(['vault-drift', 'task-narrowed', 'task-suspended', 'pdp-unavailable']);
const isPolicys = (reason: string): boolean => (REASONS as readonly string[]).includes(reason) && !NOT_POLICY.has(reason);

/**
 * Decides a recorded start again, with the facts of then: the risk that was declared, at the moment when it was decided, and nothing of what
 * the task has done since.
 * @returns the new decision where it is another one; undefined where it is the same, or was not policy's to make
 */
export async function flipOf(decider: Decider, grant: Grant, credential: Credential): Promise<Decision | undefined> {
  const { request, initiatorOffboarded, ...then } = grant;
  if (!request || !credential.reasons.every(isPolicys)) return undefined;
  const hadLeft = initiatorOffboarded && credential.reasons.includes('initiator-offboarded');
  const task: TaskFacts = {
    ...factsOf(then, request),
    risk: request.risk,
    behaviour: 'normal',
    ...(hadLeft && { initiatorOffboarded: true }),
  };
  const decision = await decider.decide({ action: 'mint', capability: credential.capability, task, at: grant.openedAt });
  return (decision.decision === 'permit') === credential.permitted ? undefined : decision;
}
