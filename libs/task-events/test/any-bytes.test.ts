import { describe, expect, test } from '@jest/globals';
import { readSignal, readTaskEvent, RejectedEvent } from '@mayfly/task-events';
import type { EventRecord } from '@mayfly/task-events';
import fc from 'fast-check';
import { binary, ENDED, event, raw, startData, STARTED, structured } from './records.js';

const RUNS = { numRuns: 500 };

/** Reads, and lets only a refusal pass. */
const survives = (record: EventRecord): void => {
  for (const read of [readTaskEvent, readSignal]) {
    try {
      read(record);
    } catch (error) {
      expect(error).toBeInstanceOf(RejectedEvent);
    }
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
};

const hostileKey = fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'taskId', 'data', 'id', 'length');
const hostileValue = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue(),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(hostileKey, fc.string()), tie('node'), { maxKeys: 4 }),
  ),
})).node;
const fieldOf = fc.constantFrom(...Object.keys(startData()));

describe('whatever the bytes are, reading ends in an event or a refusal, and pollutes nothing', () => {
  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => survives(raw(Buffer.from(bytes)))),
      RUNS,
    );
  });
  test('any text as the value, any headers', () => {
    const headers = fc.dictionary(
      fc.oneof(fc.constantFrom('content-type', 'ce_id', 'ce_type', 'ce_specversion', 'traceparent', '__proto__'), fc.string()),
      fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array().map(Buffer.from)),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), headers, (text, named) => survives(raw(text, { headers: named }))),
      RUNS,
    );
  });
  test('any JSON as the event', () => {
    fc.assert(
      fc.property(hostileValue, (value) => survives(raw(JSON.stringify(value) ?? 'null'))),
      RUNS,
    );
  });
  test('any JSON as the data of a known type', () => {
    fc.assert(
      fc.property(
        hostileValue,
        fc.constantFrom(STARTED, ENDED, 'dev.cdevents.taskrun.started.0.3.0', 'dev.mayfly.signal.risk.v1'),
        (data, type) => survives(structured(data, { type })),
      ),
      RUNS,
    );
  });
  test('a good start with any field replaced', () => {
    fc.assert(
      fc.property(fieldOf, hostileValue, (field, value) => survives(binary(startData({ [field]: value })))),
      RUNS,
    );
  });
  test('a good event with any byte flipped', () => {
    const good = Buffer.from(JSON.stringify(event(startData())));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
        const bad = Buffer.from(good);
        bad[at] = byte;
        survives(raw(bad));
      }),
      RUNS,
    );
  });
});
