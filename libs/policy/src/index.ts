/**
 * The policy set (catalogue, registrations, Cedar policies) and decisions over it.
 * @module
 */
export { decideGrant } from './decide-grant.js';
export type { LiveGrant, Redecided } from './decide-grant.js';
export { digestOfFiles } from './digest-of-files.js';
export { ACTIONS } from './question.js';
export type { Action, DecisionQuestion } from './question.js';
export { REASONS } from './decision.js';
export type { Decider, Decision, Reason } from './decision.js';
export { InvalidPolicySet, PolicySignatureRefused } from './errors.js';
export type { Agent, Orchestrator, PolicyFiles, PolicySet, Workflow } from './policy-set.js';
export { CedarDecider } from './cedar-decider.js';
export { isPolicySetPath, readPolicySet } from './read-policy-set.js';
export { quotaBounds, QUOTAS, QUOTA_SCOPES, type Quota, type QuotaBound, type Quotas, type QuotaScope } from './quotas.js';
export { POLICY_SIGNATURE_ALGORITHMS, POLICY_SIGNATURE_TYPE, readPolicyKeys, vouchForSet, type PolicySigners } from './policy-signature.js';
export { readPolicyFiles } from './read-policy-files.js';
export { refuseByRegistration } from './refuse-by-registration.js';
export { refuseDevKeys } from './refuse-dev-keys.js';
export type { Registered } from './refuse-by-registration.js';
