/**
 * From files to a policy set.
 * @module
 */
import { digestOfFiles } from './digest-of-files.js';
import { InvalidPolicySet } from './errors.js';
import type { PolicyFiles, PolicySet } from './policy-set.js';
import { CATALOGUE_FILE, readCatalogue } from './read-catalogue.js';
import { readCedar, SCHEMA_FILE } from './read-cedar.js';
import { readRegistrations, REGISTRATIONS_FILE } from './read-registrations.js';

const POLICY_FILE = /^policies\/[A-Za-z0-9][A-Za-z0-9._-]*\.cedar$/;
const MAX_CHARACTERS = 1_048_576;

/** True for a path that belongs to a policy set; other files of its folder (examples, notes) decide nothing. */
export const isPolicySetPath = (path: string): boolean =>
  path === CATALOGUE_FILE || path === REGISTRATIONS_FILE || path === SCHEMA_FILE || POLICY_FILE.test(path);

/**
 * Reads and checks a policy set. What it returns is consistent and frozen; nothing half-right gets through.
 * @param files `catalogue.yaml`, `registrations.yaml`, `schema.cedarschema` and `policies/*.cedar`, together at most 1 Mi characters
 * @throws InvalidPolicySet that names the file and the key
 */
export function readPolicySet(files: PolicyFiles): PolicySet {
  const own = Object.freeze({ ...files });
  const stray = Object.keys(own).find((path) => !isPolicySetPath(path));
  if (stray !== undefined) throw new InvalidPolicySet(stray, 'is not a file of a policy set');
  const total = Object.values(own).reduce((sum, text) => sum + text.length, 0);
  if (total > MAX_CHARACTERS) throw new InvalidPolicySet('policy set', `has more than ${MAX_CHARACTERS} characters`);

  const { capabilities, reads } = readCatalogue(required(own, CATALOGUE_FILE));
  const { orchestrators, agents, tenants, offboarded, transmitters } = readRegistrations(required(own, REGISTRATIONS_FILE));
  const policyFiles = Object.fromEntries(Object.entries(own).filter(([path]) => POLICY_FILE.test(path)));
  const { schema, policies, shadowPolicies } = readCedar(required(own, SCHEMA_FILE), policyFiles);

  const byName = new Map(capabilities.map((capability) => [capability.name, capability]));
  const bySource = new Map(orchestrators.map((orchestrator) => [orchestrator.source, orchestrator]));
  const byId = new Map(agents.map((agent) => [agent.id, agent]));
  const byIssuer = new Map(transmitters.map((transmitter) => [transmitter.issuer, transmitter]));
  const gone = new Set(offboarded);
  return deepFreeze({
    digest: digestOfFiles(own),
    files: own,
    capabilities,
    orchestrators,
    agents,
    offboarded,
    transmitters,
    schema,
    policies,
    shadowPolicies,
    capability: (name) => byName.get(name),
    orchestrator: (source) => bySource.get(source),
    workflow: (source, name) => bySource.get(source)?.workflows.find((workflow) => workflow.name === name),
    agent: (id) => byId.get(id),
    transmitter: (issuer) => byIssuer.get(issuer),
    isOffboarded: (id) => gone.has(id),
    access: (tool, verb) => (reads.get(tool)?.has(verb) ? 'read' : 'write'),
    tenantQuotas: (tenant) => (Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined),
  });
}

function required(files: PolicyFiles, path: string): string {
  const text = files[path];
  if (text === undefined) throw new InvalidPolicySet(path, 'is missing');
  return text;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
