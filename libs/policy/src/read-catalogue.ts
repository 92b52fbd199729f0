/**
 * `catalogue.yaml`: what tasks may ask for, and what it is in Vault.
 * @module
 */
import { COMPENSATIONS, ENGINES, SHAPES } from '@mayfly/domain';
import type { Capability } from '@mayfly/domain';
import { z } from 'zod';
import { faultOfCapability } from './fault-of-capability.js';
import { InvalidPolicySet } from './errors.js';
import { readYaml } from './read-yaml.js';

/** Path of the catalogue in a policy set. */
export const CATALOGUE_FILE = 'catalogue.yaml';

const name = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+([.-][a-z0-9]+)*$/, 'is lower-case letters and digits with single dots or hyphens between');
const vaultPath = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/, 'is a plain Vault path without wildcards')
  .refine((path) => !path.split('/').some((segment) => /^\.+$/.test(segment)), 'must not climb with dots');
const count = z.int().positive();

const entry = z.strictObject({
  engine: z.enum(ENGINES),
  shape: z.enum(SHAPES),
  compensation: z.enum(COMPENSATIONS).optional(),
  mint: z.enum(['on-start', 'on-fetch']),
  mount: vaultPath,
  role: vaultPath,
  vaultPolicy: z
    .string()
    .max(128)
    .regex(/^cap-[a-z0-9.-]+$/, 'must be cap- and lower-case letters, digits, dots or hyphens'),
  dataClass: name,
  maxTtlSeconds: count,
  maxFetches: count,
  parameters: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.string().max(500)).optional(),
  target: name.optional(),
  probe: z.boolean(),
});
const form = z.strictObject({ capabilities: z.record(name, entry) });

/**
 * Reads the catalogue.
 * @throws InvalidPolicySet
 */
export function readCatalogue(text: string): readonly Capability[] {
  const { capabilities } = readYaml(CATALOGUE_FILE, text, form);
  const owners = new Map<string, string>();
  return Object.entries(capabilities).map(([capability, { parameters, target, compensation, ...rest }]) => {
    const entry: Capability = {
      name: capability,
      ...rest,
      ...(compensation && { compensation }),
      ...(parameters && { parameters }),
      ...(target && { target }),
    };
    const fault = faultOfCapability(entry);
    if (fault) throw new InvalidPolicySet(CATALOGUE_FILE, `capabilities › ${capability} › ${fault}`);
    const owner = owners.get(entry.vaultPolicy);
    // INVARIANT: one Vault policy opens one capability, else a permit for one would be a permit for two.
    if (owner) throw new InvalidPolicySet(CATALOGUE_FILE, `capabilities › ${capability} › vaultPolicy: is ${owner}'s already`);
    owners.set(entry.vaultPolicy, capability);
    return entry;
  });
}
