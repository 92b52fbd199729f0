/**
 * What a catalogue entry may say to an engine beside role and life.
 * @module
 */
import type { Capability } from '@mayfly/domain';
import { MintRefused } from '../errors.js';

/**
 * The entry's parameters, which go into the minting call under Vault's own names.
 * @throws MintRefused for one that is not in `known`: Vault would ignore it silently, and the credential would not be what the entry says
 */
export function parametersOf({ name, parameters = {} }: Capability, known: readonly string[]): Readonly<Record<string, string>> {
  const unknown = Object.keys(parameters).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new MintRefused(`\`${name}\` has a parameter that its engine does not take`);
  return parameters;
}
