/**
 * A record as the client gives it, beside the form in which handlers see it.
 * @module
 */
import type { KafkaMessage } from 'kafkajs';
import type { EventRecord, RecordHeaders } from './ports.js';

/** One record that was read. */
export interface Received {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Undecoded, as a dead letter has to repeat them. */
  readonly raw: { readonly key: Buffer | null; readonly value: Buffer | null; readonly headers: RecordHeaders };
  readonly timestamp: Date;
}

/** A record of a batch. */
export const received = (topic: string, partition: number, message: KafkaMessage): Received => ({
  topic,
  partition,
  offset: message.offset,
  raw: { key: message.key, value: message.value, headers: message.headers ?? {} },
  timestamp: new Date(Number(message.timestamp)),
});

/** Names a record once and for all: topic/partition/offset. */
export const originOf = ({ topic, partition, offset }: Received): string => `${topic}/${partition}/${offset}`;

/** Bytes of key, value and headers together. */
export function sizeOf({ raw }: Received): number {
  const headers = Object.entries(raw.headers).flatMap(([name, values]) => [name, ...[values].flat()]);
  return [raw.key, raw.value, ...headers].reduce<number>((sum, part) => sum + (part ? Buffer.byteLength(part) : 0), 0);
}

/** The form that handlers see. */
export const recordOf = ({ topic, partition, offset, raw, timestamp }: Received, value: Buffer): EventRecord => ({
  topic,
  partition,
  offset,
  key: raw.key?.toString() ?? null,
  headers: Object.fromEntries(Object.entries(raw.headers).map(([name, values]) => [name, String([values].flat().at(-1) ?? '')])),
  value,
  timestamp,
});
