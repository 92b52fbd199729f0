/**
 * What of a question a Cedar policy looks at.
 * @module
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { isContext } from './scope-of-policy.js';

/** Parts of a question. */
export interface Reads {
  /** Fields of the context; all where it is taken as a whole: whoever compares or passes it on is taken to have read everything in it. */
  readonly context: ReadonlySet<string> | 'all';
  /** Whether attributes or parents of entities may matter. */
  readonly entities: boolean;
}

/** Reads the scope and the conditions; in doubt it is taken to be read. */
export function readsOfPolicy({ principal, resource, conditions }: PolicyJson): Reads {
  const found: Found = {
    context: new Set(),
    whole: false,
    entities: [principal, resource].some((scope) => 'in' in scope || scope.op === 'in'),
  };
  for (const { body } of conditions) look(body, found);
  return { context: found.whole ? 'all' : found.context, entities: found.entities };
}

/** What several policies look at together. */
export const joinedReads = (all: readonly Reads[]): Reads => ({
  context: all.some(({ context }) => context === 'all') ? 'all' : new Set(all.flatMap(({ context }) => [...context])),
  entities: all.some(({ entities }) => entities),
});

interface Found {
  readonly context: Set<string>;
  whole: boolean;
  entities: boolean;
}

function look(expression: unknown, found: Found): void {
  if (Array.isArray(expression)) for (const part of expression) look(part, found);
  else if (typeof expression === 'object' && expression !== null)
    for (const [operator, operand] of Object.entries(expression)) lookAt(operator, operand, found);
}

function lookAt(operator: string, operand: unknown, found: Found): void {
  if (operator === 'Value') return;
  if (operator === 'Var') found.whole ||= operand === 'context';
  else if (operator === '.' || operator === 'has') {
    const { left, attr } = operand as { left: unknown; attr: string | readonly string[] };
    // `context has a.b` names its whole path.
    const [first = '', ...further] = [attr].flat();
    found.entities ||= !isContext(left) || further.length > 0;
    if (isContext(left)) found.context.add(first);
    else look(left, found);
  } else {
    found.entities ||= OF_ENTITIES.has(operator);
    look(operand, found);
  }
}

/** `is` has an `in` of its own. */
const OF_ENTITIES: ReadonlySet<string> = new Set(['in', 'is', 'getTag', 'hasTag']);
