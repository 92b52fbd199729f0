/**
 * Stand-ins for the records of a batch that cannot be unpacked.
 * @module
 */
import { ParkEvent } from './errors.js';
import type { Received } from './received.js';

/** Header that marks a stand-in. Whoever sends it gets its own record parked, no more. */
const MARK = 'mayfly-unreadable';
const VALUE = Buffer.from('the value is in a batch that could not be unpacked; see mayfly-origin');

/** The bytes of so many records as they stand in an unpacked batch (Kafka's record format, version 2). */
export function unreadableRecords(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, offset) => sized(record(offset))));
}

/** Why the record is parked unread; undefined for one that could be read. */
export function unreadable({ raw }: Received): ParkEvent | undefined {
  if (raw.headers[MARK] === undefined) return undefined;
  const detail = 'its batch cannot be unpacked: more than 16 MiB, damaged, or packed with something else than gzip or zstd';
  return new ParkEvent('unreadable-batch', detail);
}

const record = (offset: number): Buffer =>
  Buffer.concat([
    Buffer.from([0]), // attributes
    varint(0), // timestamp, as a difference to the batch's
    varint(offset), // likewise
    varint(-1), // no key
    sized(VALUE),
    varint(1), // one header
    sized(Buffer.from(MARK)),
    sized(Buffer.from('true')),
  ]);

const sized = (bytes: Buffer): Buffer => Buffer.concat([varint(bytes.length), bytes]);

/** A number below 2³⁰ as a zigzag variable-length integer. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = (value << 1) ^ (value >> 31);
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
