/**
 * A policy set with who decides by it: what every service that decides works with.
 * @module
 */
import { cedarJudge } from './cedar-judge.js';
import { deciderBy, type Judge } from './decider-by.js';
import type { Decider } from './decision.js';
import type { PolicyFiles, PolicySet } from './policy-set.js';
import { readPolicySet } from './read-policy-set.js';

/** One policy set and the decider that was made from it. */
export interface Policy {
  readonly set: PolicySet;
  readonly decider: Decider;
}

/**
 * Reads and checks a policy set, and makes its decider.
 * @param judgeOf who judges what the registrations do not refuse: Cedar in this process unless somebody else is named
 * @throws InvalidPolicySet that names the file and the key
 */
export function readPolicy(files: PolicyFiles, judgeOf: (set: PolicySet) => Judge = cedarJudge): Policy {
  const set = readPolicySet(files);
  return { set, decider: deciderBy(set, judgeOf(set)) };
}
