/**
 * The Cedar part of a policy set: schema and policies.
 * @module
 */
import { checkParseSchema, validate } from '@cedar-policy/cedar-wasm/nodejs';
import type { ValidationError } from '@cedar-policy/cedar-wasm/nodejs';
import { InvalidPolicySet } from './errors.js';
import { fitsSchema } from './fits-schema.js';
import type { PolicyFiles, PolicySet } from './policy-set.js';
import { readPolicies, sentence, type PolicyText } from './read-policies.js';

/** Path of the Cedar schema in a policy set. */
export const SCHEMA_FILE = 'schema.cedarschema';

/**
 * Reads schema and policies, and validates the one against the other in Cedar's strict mode. A
 * warning is refused like an error: a policy that can never apply is a mistake that looks like a rule.
 * @throws InvalidPolicySet
 */
export function readCedar(schema: string, files: PolicyFiles): Pick<PolicySet, 'schema' | 'policies' | 'shadowPolicies'> {
  const parsed = checkParseSchema(schema);
  if (parsed.type === 'failure') throw new InvalidPolicySet(SCHEMA_FILE, sentence(parsed.errors));
  if (!fitsSchema(schema)) {
    throw new InvalidPolicySet(SCHEMA_FILE, 'does not declare what Mayfly asks; start from the schema of deploy/policies/example');
  }
  const policies = new Map<string, PolicyText>();
  for (const [file, text] of Object.entries(files)) {
    for (const policy of readPolicies(file, text)) {
      const earlier = policies.get(policy.id);
      if (earlier) throw new InvalidPolicySet(file, `@id("${policy.id}") is in ${earlier.file} already`);
      policies.set(policy.id, policy);
    }
  }
  const all = [...policies.values()];
  const fault = typeFault(schema, textsOf(all));
  if (fault) throw new InvalidPolicySet(policies.get(fault.policyId)?.file ?? SCHEMA_FILE, sentence([fault.error]));
  const inShadow = (effect: PolicyText['effect']) => textsOf(all.filter((policy) => policy.shadow && policy.effect === effect));
  return {
    schema,
    policies: textsOf(all.filter(({ shadow }) => !shadow)),
    shadowPolicies: { permit: inShadow('permit'), forbid: inShadow('forbid') },
  };
}

const textsOf = (policies: readonly PolicyText[]): Record<string, string> => Object.fromEntries(policies.map(({ id, text }) => [id, text]));

function typeFault(schema: string, staticPolicies: Record<string, string>): ValidationError | undefined {
  const answer = validate({ schema, policies: { staticPolicies }, validationSettings: { mode: 'strict' } });
  if (answer.type === 'failure') throw new InvalidPolicySet(SCHEMA_FILE, sentence(answer.errors));
  return [...answer.validationErrors, ...answer.validationWarnings][0];
}
