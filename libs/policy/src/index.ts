/**
 * The policy set (catalogue, registrations, Cedar policies) and decisions over it.
 * @module
 */
export { decideGrant } from './decide-grant.js';
export type { LiveGrant, Redecided } from './decide-grant.js';
export { denyDrifted } from './deny-drifted.js';
export { flipOf, forecastGrant, type Change, type Comparison } from './forecast.js';
export { PlanSum, type About, type PlanRow, type PlanTable } from './plan.js';
export { authzenRequest, type AuthzenRequest } from './authzen-request.js';
export { shiftOf, type Shift } from './drift-of.js';
export { opensTheSame } from './opens-the-same.js';
export { digestOfFiles } from './digest-of-files.js';
export { ACTIONS } from './question.js';
export type { Action, CallQuestion, CapabilityQuestion, DecisionQuestion, DelegateQuestion, ToolCall } from './question.js';
export { readPolicy, type Policy } from './policy.js';
export { REASONS } from './decision.js';
export type { Decider, Decision, Reason, Shadow } from './decision.js';
export { InvalidPolicySet, PolicySignatureRefused } from './errors.js';
export type { Agent, Orchestrator, PolicyFiles, PolicySet, Transmitter, Workflow } from './policy-set.js';
export { deciderBy, type Judge } from './decider-by.js';
export { isOnPlan } from './is-on-plan.js';
export type { Verdict } from './verdict-of.js';
export { isPolicySetPath, readPolicySet } from './read-policy-set.js';
export { quotaBounds, type QuotaBound } from './quota-bounds.js';
export { QUOTAS, QUOTA_SCOPES, type Quota, type Quotas, type QuotaScope } from './quotas.js';
export { POLICY_SIGNATURE_ALGORITHMS, POLICY_SIGNATURE_TYPE, readPolicyKeys, vouchForSet, type PolicySigners } from './policy-signature.js';
export { readPolicyFiles } from './read-policy-files.js';
export { remoteVerdict, UNAVAILABLE } from './remote-verdict.js';
export { cedarJudge } from './cedar-judge.js';
export { refuseByRegistration } from './refuse-by-registration.js';
export { affects, SLICE_FIELDS, type Affected, type Slice, type SliceField } from './slice.js';
export { whatChanged } from './what-changed.js';
export { refuseDevKeys } from './refuse-dev-keys.js';
export type { KnownQuestion, Refused } from './refuse-by-registration.js';
