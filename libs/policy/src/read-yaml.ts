/**
 * A YAML file of a policy set, checked by a schema.
 * @module
 */
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { InvalidPolicySet } from './errors.js';

/**
 * Parses one YAML file and checks its form. Duplicate keys, aliases, several documents and unknown
 * keys are refused: each of them lets a reader see something else than the machine does.
 * @throws InvalidPolicySet that names the file and the key
 */
export function readYaml<T>(file: string, text: string, form: z.ZodType<T>): T {
  const document = parseDocument(text, { uniqueKeys: true, strict: true, prettyErrors: false });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault) throw new InvalidPolicySet(file, `not one plain YAML document: ${fault.message}`);
  const value = orRefuse(file, 'aliases are not allowed; write the value out', (): unknown => document.toJS({ maxAliasCount: 0 }));
  // zod compares the `length` even of what is neither text nor list, and a mapping in its place makes that throw.
  const result = orRefuse(file, 'a value has the wrong type', () => form.safeParse(value));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const key = issue?.path.length ? issue.path.join(' › ') : 'top level';
  throw new InvalidPolicySet(file, `${key}: ${issue?.message ?? 'not as expected'}`);
}

function orRefuse<T>(file: string, problem: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new InvalidPolicySet(file, problem);
  }
}
