/**
 * What a task's token opens, and what it shall.
 * @module
 */
import type { Credential, Grant } from './records.js';

const permitted = (credentials: readonly Credential[]): string[] => [
  ...new Set(credentials.flatMap(({ permitted, spec, capability }) => (permitted && spec ? [capability] : []))),
];

/** The capabilities that a grant's token shall open now: what was permitted at its start, without what it has lost since. Sorted. */
export const shallOpen = ({ lostCapabilities = [] }: Grant, credentials: readonly Credential[]): readonly string[] =>
  permitted(credentials)
    .filter((capability) => !lostCapabilities.includes(capability))
    .sort();

/** The capabilities that its current token opens; one that was made before this was written down opens all that was permitted. Sorted. */
export const opens = ({ tokenAccessor, tokenCapabilities }: Grant, credentials: readonly Credential[]): readonly string[] =>
  tokenAccessor === undefined ? [] : [...(tokenCapabilities ?? permitted(credentials))].sort();

/** True when the token opens a capability, and shall. */
export const mayUse = ({ lostCapabilities = [], tokenCapabilities }: Grant, capability: string): boolean =>
  !lostCapabilities.includes(capability) && (tokenCapabilities?.includes(capability) ?? true);
