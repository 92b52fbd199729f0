/**
 * Parks what can never be processed.
 * @module
 */
import { sha256 } from '@mayfly/domain';
import { ATTRIBUTES, counter, METRICS, redact } from '@mayfly/telemetry';
import { RecordTooLarge } from './errors.js';
import type { EventProducer, HeaderValue, OutgoingRecord, ParkReason, RecordHeaders } from './ports.js';
import { originOf, type Received } from './received.js';

const parked = counter(METRICS.deadLetters);
const MAX_DETAIL = 500;

/**
 * Writes the record to the dead-letter topic: key, value and headers untouched, with the headers `mayfly-reason`, `mayfly-detail` and
 * `mayfly-origin` (topic/partition/offset) added. Where the broker refuses the size, the value becomes its digest (header
 * `mayfly-value: sha256`), and if need be the foreign headers are left out too. Resolves once it is acknowledged.
 * @throws KafkaUnavailable when it was not
 */
export async function park(producer: EventProducer, topic: string, record: Received, why: ParkReason): Promise<void> {
  const { key, value, headers } = record.raw;
  const ours = { 'mayfly-reason': why.reason, 'mayfly-detail': oneLine(why.detail), 'mayfly-origin': originOf(record) };
  const digest = value && sha256(value);
  const forms: OutgoingRecord[] = [
    { key, value, headers: withHeaders(headers, ours) },
    { key, value: digest, headers: withHeaders(headers, { ...ours, 'mayfly-value': 'sha256' }) },
    { key: null, value: digest, headers: { ...ours, 'mayfly-value': 'sha256', 'mayfly-headers': 'dropped' } },
  ];
  await sendFirstThatFits(producer, topic, forms);
  parked.add(1, { [ATTRIBUTES.messagingDestination]: record.topic, [ATTRIBUTES.reason]: why.reason });
}

async function sendFirstThatFits(producer: EventProducer, topic: string, forms: readonly OutgoingRecord[]): Promise<void> {
  for (const [at, form] of forms.entries()) {
    try {
      return await producer.send(topic, [form]);
    } catch (error) {
      if (!(error instanceof RecordTooLarge) || at === forms.length - 1) throw error;
    }
  }
}

/** Adds headers. One of the same name, left by an earlier parking, stays beside ours. */
function withHeaders(theirs: RecordHeaders, ours: Readonly<Record<string, string>>): RecordHeaders {
  const added = Object.entries(ours).map(([name, value]): [string, HeaderValue | HeaderValue[]] => {
    const before = theirs[name];
    return [name, before === undefined ? value : [...[before].flat(), value]];
  });
  // Ours come first: who reads only so many headers of a record gets to know why it is here.
  return { ...Object.fromEntries(added), ...without(theirs, ours) };
}

const without = (headers: RecordHeaders, names: object): RecordHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !Object.hasOwn(names, name)));

const oneLine = (text: string): string =>
  String(redact(text))
    .replace(/[\u0000-\u001f]+/g, ' ')
    .slice(0, MAX_DETAIL);
