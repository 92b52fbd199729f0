/**
 * The Cedar part of a policy set: schema and policies.
 * @module
 */
import { checkParseSchema, policySetTextToParts, policyToJson, validate } from '@cedar-policy/cedar-wasm/nodejs';
import type { DetailedError, ValidationError } from '@cedar-policy/cedar-wasm/nodejs';
import { InvalidPolicySet } from './errors.js';
import { fitsSchema } from './fits-schema.js';
import type { PolicyFiles } from './policy-set.js';

/** Path of the Cedar schema in a policy set. */
export const SCHEMA_FILE = 'schema.cedarschema';

const POLICY_ID = /^[a-z0-9]+([.-][a-z0-9]+)*$/;

interface PolicyText {
  readonly file: string;
  readonly text: string;
}

/** What the Cedar files hold. */
export interface CedarParts {
  readonly schema: string;
  readonly policies: Readonly<Record<string, string>>;
}

/**
 * Reads schema and policies, and validates the one against the other in Cedar's strict mode. A
 * warning is refused like an error: a policy that can never apply is a mistake that looks like a rule.
 * @throws InvalidPolicySet
 */
export function readCedar(schema: string, files: PolicyFiles): CedarParts {
  const parsed = checkParseSchema(schema);
  if (parsed.type === 'failure') throw new InvalidPolicySet(SCHEMA_FILE, sentence(parsed.errors));
  if (!fitsSchema(schema)) {
    throw new InvalidPolicySet(SCHEMA_FILE, 'does not declare what Mayfly asks; start from the schema of deploy/policies/example');
  }
  const policies = new Map<string, PolicyText>();
  for (const [file, text] of Object.entries(files)) {
    for (const [id, policy] of policiesOf(file, text)) {
      const earlier = policies.get(id);
      if (earlier) throw new InvalidPolicySet(file, `@id("${id}") is in ${earlier.file} already`);
      policies.set(id, { file, text: policy });
    }
  }
  const texts = Object.fromEntries([...policies].map(([id, { text }]) => [id, text]));
  const fault = typeFault(schema, texts);
  if (fault) throw new InvalidPolicySet(policies.get(fault.policyId)?.file ?? SCHEMA_FILE, sentence([fault.error]));
  return { schema, policies: texts };
}

function policiesOf(file: string, text: string): [id: string, text: string][] {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') throw new InvalidPolicySet(file, sentence(parts.errors));
  if (parts.policy_templates.length > 0) throw new InvalidPolicySet(file, 'templates are not supported; write each policy out');
  return parts.policies.map((policy) => {
    const json = policyToJson(policy);
    const id = json.type === 'success' ? json.json.annotations?.['id'] : undefined;
    if (id === undefined || !POLICY_ID.test(id)) {
      throw new InvalidPolicySet(file, 'every policy needs an @id of lower-case letters and digits with dots or hyphens between');
    }
    return [id, policy];
  });
}

function typeFault(schema: string, staticPolicies: Record<string, string>): ValidationError | undefined {
  const answer = validate({ schema, policies: { staticPolicies }, validationSettings: { mode: 'strict' } });
  if (answer.type === 'failure') throw new InvalidPolicySet(SCHEMA_FILE, sentence(answer.errors));
  return [...answer.validationErrors, ...answer.validationWarnings][0];
}

function sentence(errors: readonly DetailedError[]): string {
  const [error] = errors;
  const expected = error?.sourceLocations?.[0]?.label;
  return [error?.message ?? 'not valid Cedar', expected, error?.help].filter(Boolean).join('; ');
}
