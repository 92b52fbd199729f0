/**
 * `catalogue.yaml`: what tasks may ask for, and what it is in Vault.
 * @module
 */
import { ACCESSES, COMPENSATIONS, ENGINES, SHAPES } from '@mayfly/domain';
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
  access: z.enum(ACCESSES).default('write'),
  maxTtlSeconds: count,
  maxFetches: count,
  parameters: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.string().max(500)).optional(),
  target: name.optional(),
  probe: z.boolean(),
  vaultDigest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'is sha256: and 64 hex digits')
    .optional(),
  onVaultDrift: z.enum(['alarm', 'revoke']).default('alarm'),
});
const spoken = z
  .string()
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'is visible ASCII without spaces');
const form = z.strictObject({
  capabilities: z.record(name, entry),
  /** Verbs of tools that only read: every other one writes. */
  tools: z.record(spoken, z.strictObject({ reads: z.array(spoken) })).default({}),
});

/** What the catalogue says. */
export interface Catalogue {
  readonly capabilities: readonly Capability[];
  /** Verbs that only read, by tool. */
  readonly reads: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Reads the catalogue.
 * @throws InvalidPolicySet
 */
export function readCatalogue(text: string): Catalogue {
  const { capabilities: entries, tools } = readYaml(CATALOGUE_FILE, text, form);
  const owners = new Map<string, string>();
  const capabilities = Object.entries(entries).map(([capability, { parameters, target, compensation, vaultDigest, ...rest }]) => {
    const entry: Capability = {
      name: capability,
      ...rest,
      ...(compensation && { compensation }),
      ...(parameters && { parameters }),
      ...(target && { target }),
      ...(vaultDigest && { vaultDigest }),
    };
    const fault = faultOfCapability(entry);
    if (fault) throw new InvalidPolicySet(CATALOGUE_FILE, `capabilities › ${capability} › ${fault}`);
    const owner = owners.get(entry.vaultPolicy);
    // INVARIANT: one Vault policy opens one capability, else a permit for one would be a permit for two.
    if (owner) throw new InvalidPolicySet(CATALOGUE_FILE, `capabilities › ${capability} › vaultPolicy: is ${owner}'s already`);
    owners.set(entry.vaultPolicy, capability);
    return entry;
  });
  return { capabilities, reads: new Map(Object.entries(tools).map(([tool, { reads }]) => [tool, new Set(reads)])) };
}
