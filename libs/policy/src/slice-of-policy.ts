/**
 * Which tasks one Cedar policy can apply to, as far as its text says so plainly.
 * @module
 */
import { policyToJson, type Expr, type PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Affected, Slice, SliceField } from './slice.js';

/** Live grants are decided again by this action; what is asked at each call is decided by the current set anyway. */
const ACTION = 'fetch';
/** And every sub-task by this one, asked about its parent. */
const DELEGATION = 'delegate';
/** Context that every question has, so that comparing it can never fail. */
const ALWAYS_THERE: Readonly<Record<string, SliceField>> = { workflow: 'workflows', source: 'sources', tenant: 'tenants' };

/**
 * Reads the scope, and the plain comparisons with which the first `when` begins. Cedar evaluates from left to right and stops at what is
 * false, so a task outside of the slice neither meets the policy nor makes it fail. What is not understood widens the slice.
 */
export function sliceOfPolicy(text: string): Affected {
  const read = policyToJson(text);
  if (read.type === 'failure') return 'all';
  const { effect, principal, action, resource, conditions } = read.json;
  if (decidesDelegation(effect, action, scoped(resource, 'Capability'))) return 'all';
  if (action.op === '==' && 'entity' in action && idOf(action.entity)?.id !== ACTION) return [];
  const [agent, capability] = [scoped(principal, 'Agent'), scoped(resource, 'Capability')];
  if (agent === null || capability === null) return [];
  const slice: Slice = { ...(agent && { agents: [agent] }), ...(capability && { capabilities: [capability] }), ...plainly(conditions[0]) };
  return Object.keys(slice).length === 0 ? 'all' : [slice];
}

/**
 * Whether a sub-task's permits may hang on it, which go with its parent's right to hand work on, whoever does it. What forbids everything
 * takes the parent's own permits, so that the sub-task follows without this.
 */
function decidesDelegation(effect: 'permit' | 'forbid', action: PolicyJson['action'], capability: string | null | undefined): boolean {
  if (action.op === 'All') return effect === 'permit' && typeof capability !== 'string';
  const named = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : [];
  return named.some((entity) => idOf(entity)?.id === DELEGATION);
}

interface Uid {
  readonly type: string;
  readonly id: string;
}
const idOf = (entity: unknown): Uid | undefined => {
  const { __entity: inner, ...outer } = entity as { __entity?: Uid } & Uid;
  return inner ?? (typeof outer.id === 'string' ? outer : undefined);
};

/** Agents and capabilities are in no hierarchy, so that `in` one of them means being it. Null where the scope is about something else. */
function scoped(scope: PolicyJson['principal'] | PolicyJson['resource'], type: string): string | null | undefined {
  const named = scope.op === 'is' ? scope.in : scope;
  const uid = named && 'entity' in named ? idOf(named.entity) : undefined;
  if (!uid) return undefined;
  return uid.type === `Mayfly::${type}` ? uid.id : null;
}

function plainly(condition: PolicyJson['conditions'][number] | undefined): Slice {
  if (condition?.kind !== 'when') return {};
  const slice: { [Field in SliceField]?: readonly string[] } = {};
  let hasInitiator = false;
  for (const part of conjuncts(condition.body)) {
    if (isInitiatorThere(part)) {
      hasInitiator = true;
      continue;
    }
    const said = comparison(part, hasInitiator);
    // Whatever comes after something that may fail is not looked at: the policy would fail first, and that denies.
    if (!said) break;
    slice[said.field] ??= said.names;
  }
  return slice;
}

const conjuncts = (body: Expr): Expr[] => {
  const both = operands(body, '&&');
  return both ? [...conjuncts(both.left), ...conjuncts(both.right)] : [body];
};

const isInitiatorThere = (expression: Expr): boolean => {
  const { left, attr } = (expression as { has?: AttributeOf }).has ?? {};
  return attr === 'initiator' && isContext(left);
};

/** `context.workflow == "a"`, the other way round, or `["a", "b"].contains(context.workflow)`. */
function comparison(expression: Expr, hasInitiator: boolean): { field: SliceField; names: string[] } | undefined {
  const contained = operands(expression, 'contains');
  if (contained) return 'Set' in contained.left ? named(contained.right, contained.left.Set, hasInitiator) : undefined;
  const equal = operands(expression, '==');
  return equal && (named(equal.left, [equal.right], hasInitiator) ?? named(equal.right, [equal.left], hasInitiator));
}

function named(attribute: Expr, literals: readonly Expr[], hasInitiator: boolean): { field: SliceField; names: string[] } | undefined {
  const { left, attr } = (attribute as { '.'?: AttributeOf })['.'] ?? {};
  if (attr === undefined || !isContext(left)) return undefined;
  const field = Object.hasOwn(ALWAYS_THERE, attr) ? ALWAYS_THERE[attr] : attr === 'initiator' && hasInitiator ? 'initiators' : undefined;
  const names = literals.map((literal) => ('Value' in literal ? nameIn(literal.Value, field) : undefined));
  return field && names.every((name) => name !== undefined) ? { field, names } : undefined;
}

function nameIn(value: unknown, field: SliceField | undefined): string | undefined {
  if (field !== 'initiators') return typeof value === 'string' ? value : undefined;
  const uid = typeof value === 'object' && value !== null ? idOf(value) : undefined;
  return uid?.type === 'Mayfly::Initiator' ? uid.id : undefined;
}

const isContext = (expression: Expr | undefined): boolean =>
  expression !== undefined && 'Var' in expression && expression.Var === 'context';

interface AttributeOf {
  readonly left: Expr;
  readonly attr: string;
}
interface Operands {
  readonly left: Expr;
  readonly right: Expr;
}
/** Cedar's types cannot tell an operator from an extension function of that name, which there is none of. */
const operands = (expression: Expr, operator: '&&' | '==' | 'contains'): Operands | undefined =>
  (expression as { readonly [Operator in typeof operator]?: Operands })[operator];
