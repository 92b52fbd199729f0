/**
 * Which questions one Cedar policy can apply to, as far as its text says so plainly.
 * @module
 */
import type { Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Slice, SliceField } from './slice.js';

/** An entity by its Cedar type and its id. */
export interface Uid {
  readonly type: string;
  readonly id: string;
}

/** A question that is outside of one of these neither meets the policy nor makes it fail. What is absent leaves everything open. */
export interface PolicyScope {
  readonly principal?: Uid | undefined;
  /** Ids of the actions that it names; one may be a group, where the schema has groups. */
  readonly actions?: readonly string[] | undefined;
  readonly resource?: Uid | undefined;
  /** The plain comparisons with which its first `when` begins. */
  readonly said: Slice;
}

/** Context that every question has, so that comparing it can never fail. */
const ALWAYS_THERE: Readonly<Record<string, SliceField>> = { workflow: 'workflows', source: 'sources', tenant: 'tenants' };

/**
 * Reads the scope, and the plain comparisons with which the first `when` begins: Cedar evaluates from left to right and stops at what is
 * false. What is not understood leaves the scope open.
 */
export const scopeOfPolicy = ({ principal, action, resource, conditions }: PolicyJson): PolicyScope => ({
  principal: scoped(principal),
  actions: actionsOf(action),
  resource: scoped(resource),
  said: plainly(conditions[0]),
});

/** Agents, capabilities and resources are in no hierarchy, so that `in` one of them means being it. */
function scoped(scope: PolicyJson['principal'] | PolicyJson['resource']): Uid | undefined {
  const named = scope.op === 'is' ? scope.in : scope;
  return named && 'entity' in named ? idOf(named.entity) : undefined;
}

function actionsOf(action: PolicyJson['action']): string[] | undefined {
  const named = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : undefined;
  return named?.map((entity) => idOf(entity)?.id ?? '');
}

const idOf = (entity: unknown): Uid | undefined => {
  const { __entity: inner, ...outer } = entity as { __entity?: Uid } & Uid;
  return inner ?? (typeof outer.id === 'string' ? outer : undefined);
};

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

/** True for the word `context` itself. */
export const isContext = (expression: unknown): boolean =>
  typeof expression === 'object' && expression !== null && 'Var' in expression && expression.Var === 'context';

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
