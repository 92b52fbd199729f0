/**
 * Whether a catalogue's entry still means what it meant.
 * @module
 */
import { canonicalJson, type Capability } from '@mayfly/domain';

/** What a credential opens, and how it ends. Limits and classes may change beneath a live one; these may not. */
const whatItOpens = ({ engine, shape, mount, role, vaultPolicy, target, parameters }: Capability): string =>
  canonicalJson({ engine, shape, mount, role, vaultPolicy, target: target ?? null, parameters: parameters ?? {} });

/** True when both entries open the same, in the same way. */
export const opensTheSame = (one: Capability, other: Capability): boolean => whatItOpens(one) === whatItOpens(other);
