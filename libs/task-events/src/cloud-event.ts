/**
 * CloudEvents 1.0 on Kafka, structured and binary content mode.
 * @module
 */
import type { EventEnvelope } from '@mayfly/domain';
import { line, time } from './forms.js';
import type { Signed } from './messages.js';
import type { OpenedRecord } from './open-record.js';
import { RejectedEvent } from './rejected-event.js';
import { SIGNATURE_ATTRIBUTE } from './signed-statement.js';
import { signedOf } from './signed-of.js';
import { traceContextOf } from './trace-context.js';

/** An event with its data still unchecked. */
export interface CloudEvent {
  readonly envelope: EventEnvelope;
  readonly data: unknown;
  readonly signed?: Signed;
}

const STRUCTURED = /^application\/cloudevents(?![a-z0-9])/i;
const STRUCTURED_JSON = /^application\/cloudevents\+json\s*(;\s*charset="?utf-8"?\s*)?$/i;
const JSON_CONTENT = /^[\w.+-]+\/([\w.+-]+\+)?json\s*(;.*)?$/i;
const BINARY_PREFIX = 'ce_';

type Attributes = ReadonlyMap<string, string>;

/** True when the record claims to be a CloudEvent of either mode. */
export const isCloudEvent = ({ headers }: OpenedRecord): boolean =>
  STRUCTURED.test(headers.get('content-type') ?? '') || [...headers.keys()].some((name) => name.startsWith(BINARY_PREFIX));

/**
 * Reads the envelope of a CloudEvent.
 * @throws RejectedEvent `invalid-cloudevent`, `unsupported-specversion`, `contradiction`
 */
export function readCloudEvent(record: OpenedRecord): CloudEvent {
  const contentType = record.headers.get('content-type') ?? '';
  const binary = binaryAttributes(record.headers);
  if (!STRUCTURED.test(contentType)) return toEvent(record, binary, contentType, record.body);
  if (!STRUCTURED_JSON.test(contentType)) throw invalid('of the structured formats only application/cloudevents+json in UTF-8 is read');
  const { attributes, data } = structured(record.body);
  for (const [name, value] of binary) {
    if (attributes.get(name) !== value) throw new RejectedEvent('contradiction', 'a ce_ header says something else than the event');
  }
  return toEvent(record, attributes, attributes.get('datacontenttype') ?? '', data);
}

function structured(body: unknown): { attributes: Attributes; data: unknown } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the value is not a JSON object');
  const { data, data_base64: encoded, ...rest } = body as Record<string, unknown>;
  if (encoded !== undefined) throw invalid('data_base64 is not read; send the data as JSON');
  const attributes = new Map<string, string>();
  for (const [name, value] of Object.entries(rest)) {
    // Extensions may be numbers or booleans; everything that Mayfly reads is text.
    if (typeof value === 'string') attributes.set(name, value);
    else if (MUST_BE_TEXT.includes(name)) throw invalid(`${name} must be a text`);
  }
  return { attributes, data };
}

function binaryAttributes(headers: Attributes): Attributes {
  const named = [...headers].filter(([name]) => name.startsWith(BINARY_PREFIX));
  return new Map(named.map(([name, value]) => [name.slice(BINARY_PREFIX.length), value]));
}

const REQUIRED = ['specversion', 'id', 'source', 'type'];
const MUST_BE_TEXT = [...REQUIRED, 'time', SIGNATURE_ATTRIBUTE];
const FORMS = { id: line(256), source: line(1024), type: line(256) };

function toEvent(record: OpenedRecord, attributes: Attributes, contentType: string, data: unknown): CloudEvent {
  const absent = REQUIRED.find((name) => !attributes.get(name));
  if (absent !== undefined) throw invalid(`${absent} is missing: CloudEvents need specversion, id, source and type`);
  if (attributes.get('specversion') !== '1.0')
    throw new RejectedEvent('unsupported-specversion', 'only CloudEvents specversion 1.0 is read');
  if (contentType && !JSON_CONTENT.test(contentType)) throw invalid('the data must be JSON');
  const occurred = attributes.get('time');
  return {
    envelope: {
      id: attribute(attributes, 'id'),
      source: attribute(attributes, 'source'),
      type: attribute(attributes, 'type'),
      ...(occurred !== undefined && { time: timeOf(occurred) }),
      ...traceContextOf(record.headers, attributes),
    },
    data,
    ...signedOf(attributes.get(SIGNATURE_ATTRIBUTE), data),
  };
}

function attribute(attributes: Attributes, name: keyof typeof FORMS): string {
  const result = FORMS[name].safeParse(attributes.get(name));
  if (!result.success) throw invalid(`${name}: ${result.error.issues[0]?.message ?? 'not as expected'}`);
  return result.data;
}

function timeOf(text: string): Date {
  const result = time.safeParse(text);
  if (!result.success) throw invalid('time must be RFC 3339 with a zone');
  return result.data;
}

const invalid = (detail: string): RejectedEvent => new RejectedEvent('invalid-cloudevent', detail);
