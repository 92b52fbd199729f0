import { describe, expect, test } from '@jest/globals';
import { readTaskEvent, taskIdOf } from '@mayfly/task-events';
import { binary, ENDED, startData, structured } from './records.js';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const OTHER_TRACE = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00';

describe('task events', () => {
  test('are read as the contract has them', () => {
    const message = readTaskEvent(structured(startData(), { time: '2026-11-22T10:00:00.123456+01:00' }, { key: 'etl-0042' }));
    expect(message).toEqual({
      kind: 'started',
      envelope: {
        id: 'e1',
        source: 'urn:example:orchestrator',
        type: 'dev.mayfly.task.started.v1',
        time: new Date('2026-11-22T09:00:00.123Z'),
      },
      task: { ...startData(), deadline: new Date('2026-11-22T11:00:00Z') },
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  test('are the same in structured and in binary mode', () => {
    const ours = readTaskEvent(structured(startData()));
    expect(readTaskEvent(binary(startData()))).toEqual(ours);
  });

  test('need only what the contract requires', () => {
    const least = {
      taskId: 't',
      agent: { id: 'a' },
      workflow: { name: 'w' },
      intent: { purpose: 'p' },
      credentials: [{ name: 'n', capability: 'c' }],
    };
    expect(readTaskEvent(structured(least))).toMatchObject({ task: { ...least, intent: { purpose: 'p', plan: [] }, risk: 0 } });
  });

  test('ignore unknown fields, reply topics and their influence on the digest', () => {
    const message = readTaskEvent(structured(startData({ admin: true }), { replyto: 'x', count: 3 }));
    expect(message.digest).toBe(readTaskEvent(structured(startData())).digest);
    expect(message).not.toHaveProperty('task.admin');
  });

  test('have another digest as soon as anything that counts differs', () => {
    const digests = [{}, { risk: 13 }, { deadline: '2026-11-22T11:00:01Z' }, { agent: { id: 'b' } }].map(
      (changes) => readTaskEvent(structured(startData(changes))).digest,
    );
    expect(new Set(digests).size).toBe(4);
  });

  test('have their risk rounded up', () => {
    expect(readTaskEvent(structured(startData({ risk: 79.5 })))).toMatchObject({ task: { risk: 80 } });
  });

  test('take their trace from the header first, then from the extension', () => {
    const headers = { 'content-type': 'application/cloudevents+json', traceparent: TRACE, tracestate: 'a=1' };
    const both = readTaskEvent(structured(startData(), { traceparent: OTHER_TRACE }, { headers }));
    expect(both.envelope).toMatchObject({ traceparent: TRACE, tracestate: 'a=1' });
    expect(readTaskEvent(structured(startData(), { traceparent: OTHER_TRACE })).envelope.traceparent).toBe(OTHER_TRACE);
    expect(readTaskEvent(binary(startData(), { ce_traceparent: OTHER_TRACE })).envelope.traceparent).toBe(OTHER_TRACE);
  });

  test.each(['00-0', `ff${TRACE.slice(2)}`, TRACE.toUpperCase(), `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`])(
    'ignore the malformed traceparent %s',
    (traceparent) => {
      expect(readTaskEvent(structured(startData(), { traceparent })).envelope).not.toHaveProperty('traceparent');
    },
  );

  test('end and beat', () => {
    const end = readTaskEvent(structured({ taskId: 't', outcome: 'timed_out', reason: 'slow\nday' }, { type: ENDED }));
    expect(end).toMatchObject({ kind: 'ended', end: { taskId: 't', outcome: 'timed_out', reason: 'slow\nday' } });
    const beat = readTaskEvent(structured({ taskId: 't' }, { type: 'dev.mayfly.task.heartbeat.v1' }));
    expect(beat).toMatchObject({ kind: 'heartbeat', taskId: 't' });
    expect([end, beat].map(taskIdOf)).toEqual(['t', 't']);
  });
});
