/**
 * Makes any value fit for a log line: nothing secret, nothing that breaks the line, nothing without a bound.
 * @module
 */
import { Secret } from '@mayfly/domain';
import { describeError } from './describe-error.js';

const REDACTED = '[redacted]';
const MAX_TEXT = 2_000;
const MAX_ITEMS = 50;
const MAX_DEPTH = 6;

/** Fields that hold secrets in the APIs we speak. The first defence is the type `Secret`; this is the second. */
const SECRET_KEY =
  /^(.*(token|password|passwd|passphrase|jwt)|secret|secrets|authorization|cookie|set-cookie|dpop|accessor|.*_accessor|lease_?id|private_?key|signed_?key|plaintext|x-vault-.*)$/i;

/** Secrets by their look, for text that was not meant to hold one: JWTs, Vault tokens, `scheme://user:password@`. */
const SECRET_TEXT = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:hv[sb]|[sb])\.[A-Za-z0-9_-]{20,}|(?<=:\/\/[^\s:@/]*:)[^\s@/]+(?=@)/g;

// JSON escapes C0 itself. The rest that a terminal obeys or an editor breaks lines at: DEL and C1, line and paragraph separators, bidi controls.
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text without secrets or control characters, of bounded length. */
export function cleanText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return cut
    .replace(SECRET_TEXT, REDACTED)
    .replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .toWellFormed();
}

/** A copy of the value that may be logged. */
export function redact(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return cleanText(value);
    case 'bigint':
      return value.toString();
    case 'function':
    case 'symbol':
      return `[${typeof value}]`;
    case 'object':
      return value === null ? null : redactObject(value, depth);
    default:
      return value;
  }
}

function redactObject(value: object, depth: number): unknown {
  if (value instanceof Secret) return value.toJSON();
  if (value instanceof Error) return redact(describeError(value), depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  const fields = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(fields.map(([key, field]) => [cleanText(key), SECRET_KEY.test(key) ? REDACTED : redact(field, depth + 1)]));
}
