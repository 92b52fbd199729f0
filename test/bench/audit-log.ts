/** What Vault itself says it was asked: its audit log has a line for every call that came with a token, or wanted one. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchStack } from './bench-stack.ts';

interface Line {
  readonly type: 'request' | 'response';
  readonly auth?: { readonly policies?: readonly string[] };
  readonly request: { readonly operation: string; readonly path: string };
}

export class AuditLog {
  readonly #file: string;
  #from: number;

  /** From now on. */
  constructor(stack: BenchStack) {
    this.#file = join(stack.home, 'logs', 'openbao-audit.log');
    this.#from = statSync(this.#file).size;
  }

  /**
   * Calls since the last time that it was asked, by operation and path; what names somebody in a path is left out.
   * @param without calls by who has this policy
   */
  calls({ without }: { readonly without?: string } = {}): Record<string, number> {
    const bytes = readFileSync(this.#file).subarray(this.#from);
    const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
    this.#from += whole.length;
    const counts: Record<string, number> = {};
    for (const text of whole.toString().split('\n')) {
      if (text === '') continue;
      const { type, auth, request } = JSON.parse(text) as Line;
      if (type !== 'request' || (without && auth?.policies?.includes(without))) continue;
      const what = `${request.operation} ${request.path.replace(/^cubbyhole\/.*/, 'cubbyhole')}`;
      counts[what] = (counts[what] ?? 0) + 1;
    }
    return counts;
  }
}

export const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, each) => all + each, 0);
