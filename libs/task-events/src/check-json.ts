/**
 * What JSON has to keep to before it is parsed: budgets, and one meaning only.
 * @module
 */
import { RejectedEvent } from './rejected-event.js';

const MAX_DEPTH = 32;
const MAX_KEYS = 10_000;

/**
 * The next token: a string, a structural character, or a run of anything else. A string that never
 * ends is taken to the end of the text: were it no match, the search would start again at its next quote, and again.
 */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"?|[{}[\],:]|[^\s{}[\],:"]+/gs;

/**
 * Walks over the tokens of a JSON text and keeps to the budgets. Whether the text is JSON at all is
 * left to the parser that follows.
 * @throws RejectedEvent `too-deep`, `too-many-keys`, `duplicate-keys`, `invalid-encoding`, `not-json`
 */
export function checkJson(text: string): void {
  const open: Set<string>[] = [];
  let keys = 0;
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      if (open.push(new Set()) > MAX_DEPTH) throw new RejectedEvent('too-deep', `the JSON is nested deeper than ${MAX_DEPTH} levels`);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ':') {
      if (++keys > MAX_KEYS) throw new RejectedEvent('too-many-keys', `the JSON has more than ${MAX_KEYS} keys`);
      const siblings = open.at(-1);
      const key = textOf(last);
      if (siblings?.has(key)) throw new RejectedEvent('duplicate-keys', 'an object of the JSON has one key twice');
      siblings?.add(key);
    } else if (token.includes('\\u')) {
      checkCharacters(textOf(token));
    } else if (NUMBER.test(token) && !Number.isFinite(Number(token))) {
      throw new RejectedEvent('not-json', 'a number of the JSON is greater than any that I-JSON (RFC 7493) has');
    }
    last = token;
  }
}

/** `1e999` is well-formed, and would be read as infinite: it has no canonical form that a signature could be over. */
const NUMBER = /^-?\d/;
const PLAIN = /^"[^"\\]*"$/;

function textOf(token: string): string {
  if (PLAIN.test(token)) return token.slice(1, -1);
  try {
    return String(JSON.parse(token));
  } catch {
    throw new RejectedEvent('not-json', 'the value is not JSON');
  }
}

/** NUL is refused because no text column of the ledger can hold it; half a surrogate pair because no UTF-8 can. */
function checkCharacters(text: string): void {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw new RejectedEvent('invalid-encoding', 'a text of the JSON holds NUL or half a surrogate pair');
  }
}
