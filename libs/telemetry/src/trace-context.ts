/**
 * W3C trace context as two strings, the form in which it travels in events, rows and headers.
 * @module
 */
import { context, createTraceState, trace, type Context, type SpanContext } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';

/** Where in a trace something happened (W3C Trace Context). */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** The whole of `tracestate` that a caller may make us carry (W3C recommends to propagate at least 512 characters). */
const MAX_TRACESTATE = 512;

/** The API's form of a trace context; undefined when the text is not a valid one, which W3C says to ignore. */
export function toSpanContext(carrier: { readonly traceparent?: unknown; readonly tracestate?: unknown }): SpanContext | undefined {
  if (typeof carrier.traceparent !== 'string' || carrier.traceparent.length > 200) return undefined;
  const parsed = parseTraceParent(carrier.traceparent);
  if (!parsed) return undefined;
  const { tracestate } = carrier;
  const keepState = typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= MAX_TRACESTATE;
  return { ...parsed, isRemote: true, ...(keepState && { traceState: createTraceState(tracestate) }) };
}

/** The strings of a trace context. */
export function fromSpanContext({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const tracestate = traceState?.serialize();
  return {
    traceparent: `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`,
    ...(tracestate && { tracestate }),
  };
}

/** Checks a `traceparent`/`tracestate` pair from outside. Undefined when it is not valid: the pair is then ignored. */
export function parseTrace(carrier: { readonly traceparent?: unknown; readonly tracestate?: unknown }): TraceContext | undefined {
  const parsed = toSpanContext(carrier);
  return parsed && fromSpanContext(parsed);
}

/** The trace context of the span that is active here; undefined outside of spans. */
export function currentTrace(): TraceContext | undefined {
  const active = trace.getSpanContext(context.active());
  return active && trace.isSpanContextValid(active) ? fromSpanContext(active) : undefined;
}

/** The context that a span starts in. */
export function startingContext(parent: TraceContext | undefined): Context {
  const remote = parent && toSpanContext(parent);
  return remote ? trace.setSpanContext(context.active(), remote) : context.active();
}
