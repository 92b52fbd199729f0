/**
 * Asking Cedar about some policies out of many, in as few words as they look at.
 * @module
 */
import {
  preparsePolicySet,
  preparseSchema,
  schemaToJson,
  statefulIsAuthorized,
  type AuthorizationAnswer,
  type Context,
} from '@cedar-policy/cedar-wasm/nodejs';
import { digestOf } from '@mayfly/domain';
import type { ApplicablePolicies, Policies } from './applicable-policies.js';
import type { CedarRequest } from './cedar-request.js';
import { InvalidPolicySet } from './errors.js';

/** A schema that Cedar has parsed. */
export interface ParsedSchema {
  readonly name: string;
  /**
   * True when every question that has the form of ours fits it, and nothing of it decides: no lists of the only entities that there are, no
   * groups of actions, no attributes of actions.
   */
  readonly plain: boolean;
}

/** @throws InvalidPolicySet when Cedar cannot parse what it has validated before */
export function parseSchema(text: string): ParsedSchema {
  const name = digestOf(text);
  const json = schemaToJson(text);
  if (preparseSchema(name, text).type === 'failure' || json.type === 'failure') throw unreadable();
  const plain = Object.values(json.json).every(
    ({ entityTypes, actions }) =>
      !Object.values(entityTypes).some((type) => 'enum' in type) &&
      !Object.values(actions).some(({ memberOf = [], attributes = {} }) => memberOf.length > 0 || Object.keys(attributes).length > 0),
  );
  return { name, plain };
}

/**
 * Asks those policies that can apply.
 * @param plain whether the request has the form of every question that was tried when the schema was read. Only then may anything be left
 * out: otherwise all policies are asked, in all words, and the request is held against the schema
 * @param validateRequest whether a request that is not plain and does not fit the schema fails
 */
export function ask(
  schema: ParsedSchema,
  policies: ApplicablePolicies,
  request: CedarRequest,
  plain: boolean,
  validateRequest = true,
): AuthorizationAnswer {
  if (!plain || !schema.plain)
    return statefulIsAuthorized({
      ...request,
      validateRequest,
      preparsedSchemaName: schema.name,
      preparsedPolicySetId: parsed(policies.all),
    });
  const applicable = policies.to(request);
  return statefulIsAuthorized({ ...shortened(request, applicable), validateRequest: false, preparsedPolicySetId: parsed(applicable) });
}

/** What policies do not look at cannot change what they say; most of the time goes into handing it over. */
function shortened(request: CedarRequest, { reads }: Policies): CedarRequest {
  const { context } = reads;
  return {
    principal: request.principal,
    action: request.action,
    resource: request.resource,
    context: context === 'all' ? request.context : fieldsOf(request.context, context),
    entities: reads.entities ? request.entities : [],
  };
}

function fieldsOf(context: Context, names: ReadonlySet<string>): Context {
  const fields: Context = {};
  for (const name of names) if (Object.hasOwn(context, name)) fields[name] = context[name]!;
  return fields;
}

/** Cedar's own memory forgets nothing, but takes other policies under the same name. */
const MOST_PARSED = 4_096;
const NAMES = new Map<Policies, string>();

/** The name under which Cedar has these policies parsed. */
function parsed(policies: Policies): string {
  const known = NAMES.get(policies);
  if (known !== undefined) return known;
  const [oldest] = NAMES.keys();
  const name = NAMES.size >= MOST_PARSED && oldest ? NAMES.get(oldest)! : `policies ${NAMES.size}`;
  if (preparsePolicySet(name, { staticPolicies: { ...policies.texts } }).type === 'failure') throw unreadable();
  if (NAMES.size >= MOST_PARSED && oldest) NAMES.delete(oldest);
  NAMES.set(policies, name);
  return name;
}

const unreadable = (): InvalidPolicySet => new InvalidPolicySet('policy set', 'cannot be parsed by Cedar');
