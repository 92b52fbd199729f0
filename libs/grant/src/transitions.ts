/**
 * The two state machines as data. The same pairs are a foreign key in SQL; a test compares them.
 * `none` is the state before the row exists. Nothing leaves a state that has no pair.
 * @module
 */

/** Every step a grant may take. `none → closed` is the tombstone of an end that came before its start. */
export const GRANT_TRANSITIONS = [
  ['none', 'requested'],
  ['none', 'closed'],
  ['requested', 'denied'],
  ['requested', 'pending'],
  ['requested', 'granted'],
  ['requested', 'closed'],
  ['pending', 'granted'],
  ['pending', 'denied'],
  ['pending', 'closed'],
  ['granted', 'closing'],
  ['closing', 'closed'],
] as const;

/**
 * Every step a lease may take. A revocation ends in what can truly be said: `revoked` (proven dead), `expired`
 * (dead because its validity ended) or `access_ended` (only the way to it is closed: static material, or what was never handed out and
 * cannot be revoked).
 */
export const LEASE_TRANSITIONS = [
  ['none', 'minting'],
  ['minting', 'active'],
  ['minting', 'failed'],
  ['minting', 'revoking'],
  ['active', 'revoking'],
  ['revoking', 'revoked'],
  ['revoking', 'expired'],
  ['revoking', 'access_ended'],
  ['revoking', 'stuck'],
  ['stuck', 'revoking'],
] as const;

/** A state of a grant's row. */
export type GrantState = (typeof GRANT_TRANSITIONS)[number][1];
/** A state of a lease's row. */
export type LeaseState = (typeof LEASE_TRANSITIONS)[number][1];

type Pairs = readonly (readonly [string, string])[];
const has = (pairs: Pairs, from: string, to: string): boolean => pairs.some(([prior, next]) => prior === from && next === to);

/** True when a grant may go from the one state to the other. */
export const mayGrantGo = (from: GrantState | 'none', to: GrantState): boolean => has(GRANT_TRANSITIONS, from, to);
/** True when a lease may go from the one state to the other. */
export const mayLeaseGo = (from: LeaseState | 'none', to: LeaseState): boolean => has(LEASE_TRANSITIONS, from, to);

/** Lease states in which a credential may be usable: at most one of these per credential of a grant. */
export const LIVE_LEASE_STATES = ['minting', 'active'] as const satisfies readonly LeaseState[];
/** Lease states that are not over: something may still work at the target. */
export const OPEN_LEASE_STATES = ['minting', 'active', 'revoking', 'stuck'] as const satisfies readonly LeaseState[];
/** Grant states in which nothing will ever be handed out again. */
export const ENDED_GRANT_STATES = ['closing', 'closed'] as const satisfies readonly GrantState[];
