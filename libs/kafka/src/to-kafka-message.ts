/**
 * Events on their way out, as CloudEvents 1.0 in structured mode (Kafka protocol binding).
 * @module
 */
import type { OutEvent } from '@mayfly/domain';
import type { TraceContext } from '@mayfly/telemetry';
import type { OutgoingRecord } from './ports.js';

/** What is said beside the event itself. */
export interface MessageOptions {
  /** CloudEvents `source`, for example `urn:mayfly:issuer`. */
  readonly source: string;
  /** CloudEvents extension `sequence`: grows with the order of the events of one source. */
  readonly sequence?: string;
  /** The span that sends it: header `traceparent`, beside the event's own extension of that name. */
  readonly sendTrace?: TraceContext;
}

/** Digits of a sequence: zero-padded, since the extension is ordered as text. */
const SEQUENCE_DIGITS = 20;

/** The record of an event: keyed by its task, so that one task's events keep their order. */
export function toKafkaMessage(event: OutEvent, { source, sequence, sendTrace }: MessageOptions): OutgoingRecord {
  const cloudEvent = {
    specversion: '1.0',
    id: event.id,
    source,
    type: event.type,
    time: event.time.toISOString(),
    subject: event.key,
    partitionkey: event.key,
    datacontenttype: 'application/json',
    ...(sequence !== undefined && { sequence: sequence.padStart(SEQUENCE_DIGITS, '0') }),
    ...(event.causationId !== undefined && { causationid: event.causationId }),
    ...(event.traceparent !== undefined && { traceparent: event.traceparent }),
    ...(event.tracestate !== undefined && { tracestate: event.tracestate }),
    data: event.data,
  };
  return {
    key: event.key,
    value: JSON.stringify(cloudEvent),
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8', ...sendTrace },
  };
}
