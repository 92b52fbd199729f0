/**
 * Whether a policy looks at free text.
 * @module
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

const FREE_TEXT = 'purpose';

/**
 * True when a condition of the policy reads `context.purpose`, or takes the context as a whole, through which it could: whoever compares
 * or passes it on is taken to have read everything in it.
 */
export const readsPurpose = ({ conditions }: PolicyJson): boolean => conditions.some(({ body }) => reads(body));

function reads(expression: unknown): boolean {
  if (Array.isArray(expression)) return expression.some(reads);
  if (typeof expression !== 'object' || expression === null) return false;
  return Object.entries(expression).some(([operator, operand]: [string, unknown]) => {
    if (operator === 'Value') return false;
    if (operator === 'Var') return operand === 'context';
    if (operator !== '.' && operator !== 'has') return reads(operand);
    const { left, attr } = operand as { left: unknown; attr: unknown };
    // `context has a.b` names its whole path.
    return [attr].flat().includes(FREE_TEXT) || (!isContext(left) && reads(left));
  });
}

const isContext = (expression: unknown): boolean =>
  typeof expression === 'object' && expression !== null && 'Var' in expression && expression.Var === 'context';
