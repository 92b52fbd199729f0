import type { Decider, PolicySet } from '@mayfly/policy';

/** A policy set with the decider that was made from it. */
export interface Policy {
  readonly set: PolicySet;
  readonly decider: Decider;
}
