/**
 * From bytes to headers and JSON, within budgets.
 * @module
 */
import { safeParse } from 'secure-json-parse';
import { checkJson } from './check-json.js';
import type { EventRecord, RecordHeaders } from './messages.js';
import { RejectedEvent } from './rejected-event.js';

/** Largest value of an event, in bytes. */
export const MAX_VALUE_BYTES = 262_144;
const MAX_HEADERS = 64;
const MAX_HEADER_BYTES = 32_768;

/** A record whose bytes were understood, but not yet what they mean. */
export interface OpenedRecord {
  readonly key: string | null;
  /** Header names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: unknown;
}

// Not ignoring the mark: a text that starts with one is refused rather than read in two ways.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Opens a record.
 * @throws RejectedEvent
 */
export function openRecord(record: EventRecord): OpenedRecord {
  const { text, ...opened } = openText(record);
  return { ...opened, body: openJson(text) };
}

/**
 * The same for a value that is no JSON.
 * @throws RejectedEvent
 */
export function openText({ key, headers, value }: EventRecord): Omit<OpenedRecord, 'body'> & { readonly text: string } {
  if (value === null) throw new RejectedEvent('tombstone', 'the record has no value');
  if (value.length > MAX_VALUE_BYTES) throw new RejectedEvent('too-large', `the value is larger than ${MAX_VALUE_BYTES} bytes`);
  return { key, headers: openHeaders(headers), text: decode(value) };
}

function openJson(text: string): unknown {
  if (text.startsWith('\uFEFF')) throw new RejectedEvent('invalid-encoding', 'the value starts with a byte order mark');
  checkJson(text);
  const body: unknown = safeParse(text);
  if (body === undefined) throw new RejectedEvent('not-json', 'the value is not JSON');
  if (body === null && text.trim() !== 'null') {
    throw new RejectedEvent('forbidden-keys', 'the JSON has keys that reach for the prototype of objects');
  }
  return body;
}

function openHeaders(headers: RecordHeaders): ReadonlyMap<string, string> {
  const opened = new Map<string, string>();
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const lowerCase = name.toLowerCase();
    // A header that is there twice has two meanings, and none that can be trusted.
    if (Array.isArray(value) || opened.has(lowerCase)) throw new RejectedEvent('contradiction', 'a header is there twice');
    const text = typeof value === 'string' ? value : decode(value as Buffer);
    bytes += name.length + Buffer.byteLength(text);
    opened.set(lowerCase, text);
  }
  if (opened.size > MAX_HEADERS || bytes > MAX_HEADER_BYTES) throw new RejectedEvent('too-large', 'the headers are too large');
  return opened;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new RejectedEvent('invalid-encoding', 'the record is not valid UTF-8');
  }
}
