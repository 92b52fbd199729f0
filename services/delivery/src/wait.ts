/**
 * `?wait=10s`: how long a fetch may be held.
 * @module
 */
import { InvalidRequest } from '@mayfly/domain';

const WAIT = /^(\d{1,5})(ms|s)?$/;
const LONGEST_MILLISECONDS = 30_000;

/**
 * Milliseconds of a wait parameter: `10s`, `500ms` or plain seconds, at most 30 s; 0 when absent.
 * @throws InvalidRequest when it is anything else
 */
export function waitMilliseconds(text: unknown): number {
  if (text === undefined) return 0;
  const match = typeof text === 'string' ? WAIT.exec(text) : null;
  if (!match) throw new InvalidRequest('wait is a number of seconds such as 10s, at most 30s');
  return Math.min(LONGEST_MILLISECONDS, Number(match[1]) * (match[2] === 'ms' ? 1 : 1000));
}
