import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { Denied } from '@mayfly/domain';
import { currentTrace, parseTrace, recordSpans, SPANS, withSpan } from '@mayfly/telemetry';

const recording = recordSpans();
beforeEach(() => recording.clear());
afterAll(() => recording.stop());

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a span continues the given trace and is active in everything that it awaits', async () => {
  const inside = await withSpan(SPANS.mint, { parent: { traceparent, tracestate: 'vendor=1' } }, async () => {
    await Promise.resolve();
    return currentTrace();
  });
  const [span] = recording.spans();
  expect(span).toMatchObject({
    name: 'mayfly.mint',
    kind: 'internal',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    parentSpanId: 'b7ad6b7169203331',
  });
  expect(inside).toEqual({ traceparent: `00-${span?.traceId}-${span?.spanId}-01`, tracestate: 'vendor=1' });
  expect(currentTrace()).toBeUndefined();
});

test('an inner span is a child of the outer one, unless it asks for a new trace', async () => {
  await withSpan(SPANS.mint, {}, () =>
    withSpan(SPANS.revoke, {}, (outer) => withSpan(SPANS.probe, { root: true, links: [outer.trace] }, () => undefined)),
  );
  const [probe, revoke, mint] = recording.spans();
  expect(revoke?.parentSpanId).toBe(mint?.spanId);
  expect(probe?.parentSpanId).toBeUndefined();
  expect(probe?.traceId).not.toBe(mint?.traceId);
  expect(probe?.links).toEqual([{ traceId: revoke?.traceId, spanId: revoke?.spanId }]);
});

test.each([
  ['garbage', 'garbage'],
  ['an all-zero trace id', '00-00000000000000000000000000000000-b7ad6b7169203331-01'],
  ['version ff', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['upper case', '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01'],
  ['a number', 7],
  ['something huge', '0'.repeat(100_000)],
])('an invalid traceparent is ignored: %s', async (_what, invalid) => {
  expect(parseTrace({ traceparent: invalid })).toBeUndefined();
  await withSpan(SPANS.mint, { parent: { traceparent: invalid as string }, links: [{ traceparent: invalid as string }] }, () => undefined);
  expect(recording.spans()[0]).toMatchObject({ parentSpanId: undefined, links: [] });
});

test('an oversized tracestate is dropped and the trace goes on', () => {
  expect(parseTrace({ traceparent, tracestate: `a=${'x'.repeat(600)}` })).toEqual({ traceparent });
});

test('a named error is noted by code and sentence, and thrown on unchanged', async () => {
  const error = new Denied('d1');
  await expect(withSpan(SPANS.decide, {}, () => Promise.reject(error))).rejects.toBe(error);
  expect(recording.spans()[0]).toMatchObject({ failed: true, attributes: { 'error.type': 'denied' }, statusMessage: error.message });
});

test('of any other error only the class is noted, since its message may quote a secret', async () => {
  await expect(
    withSpan(SPANS.decide, {}, () => {
      throw new RangeError('password hunter2');
    }),
  ).rejects.toThrow(RangeError);
  expect(recording.spans()[0]).toMatchObject({ failed: true, attributes: { 'error.type': 'RangeError' } });
  expect(JSON.stringify(recording.spans())).not.toContain('hunter2');
});
