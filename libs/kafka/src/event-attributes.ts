/**
 * What a record says about itself, for its span. Claims only: nothing is decided by them.
 * @module
 */
import { ATTRIBUTES, parseTrace, type Attributes, type TraceContext } from '@mayfly/telemetry';
import type { EventRecord } from './ports.js';

const LONGEST = 200;
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : undefined);

/** CloudEvents attributes of a record, of either content mode; none when it is no CloudEvent. */
function claims({ headers, value }: EventRecord): Readonly<Record<string, unknown>> {
  if (!/^application\/cloudevents/i.test(headers['content-type'] ?? '')) {
    return Object.fromEntries(Object.entries(headers).flatMap(([name, claim]) => (name.startsWith('ce_') ? [[name.slice(3), claim]] : [])));
  }
  try {
    const event: unknown = JSON.parse(value.toString());
    return typeof event === 'object' && event !== null ? (event as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Attributes of the record's span, and the trace that it continues: its `traceparent` header, else its CloudEvents extension. */
export function describeRecord(record: EventRecord): { readonly attributes: Attributes; readonly parent: TraceContext | undefined } {
  const event = claims(record);
  return {
    attributes: {
      [ATTRIBUTES.messagingMessageId]: text(event['id']),
      [ATTRIBUTES.eventId]: text(event['id']),
      [ATTRIBUTES.eventSource]: text(event['source']),
      [ATTRIBUTES.eventSpecVersion]: text(event['specversion']),
      [ATTRIBUTES.eventSubject]: text(event['subject']),
      [ATTRIBUTES.eventType]: text(event['type']),
    },
    parent: parseTrace(record.headers) ?? parseTrace(event),
  };
}
