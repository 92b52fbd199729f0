/**
 * The policy set (catalogue, registrations, Cedar policies) and decisions over it.
 * @module
 */
export { digestOfFiles } from './digest-of-files.js';
export { ACTIONS } from './question.js';
export type { Action, DecisionQuestion, TaskFacts } from './question.js';
export { REASONS } from './decision.js';
export type { Decider, Decision, Reason } from './decision.js';
export { InvalidPolicySet } from './errors.js';
export type { Agent, Orchestrator, PolicyFiles, PolicySet, Workflow } from './policy-set.js';
