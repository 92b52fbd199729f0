/**
 * The rules of grants and leases: states, lifetimes, delegation, and the ports of minting. No I/O.
 * @module
 */
export * from './announce.js';
export * from './behaviour.js';
export * from './breaker.js';
export * from './budgets.js';
export * from './credential-state.js';
export * from './delegation.js';
export * from './facts.js';
export * from './lifetimes.js';
export * from './limits.js';
export type * from './ports.js';
export type * from './records.js';
export * from './token-scope.js';
export * from './selector.js';
export * from './transitions.js';
