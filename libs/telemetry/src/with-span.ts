/**
 * Work inside a span.
 * @module
 */
import { context, SpanKind, SpanStatusCode, trace, type Link, type Span } from '@opentelemetry/api';
import { MayflyError } from '@mayfly/domain';
import { ATTRIBUTES, type Attributes } from './names.js';
import { errorType } from './describe-error.js';
import { fromSpanContext, startingContext, toSpanContext, type TraceContext } from './trace-context.js';

/** How a span starts. */
export interface SpanOptions {
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes?: Attributes;
  /** Parent from outside (a header, an event, a row). Without it the active span is the parent. Invalid ones are ignored. */
  readonly parent?: TraceContext | undefined;
  /** Related traces that are not the parent. Invalid ones are ignored. */
  readonly links?: readonly TraceContext[];
  /** True starts a new trace whatever is active. */
  readonly root?: boolean;
}

/** The span in which the work runs. */
export interface ActiveSpan {
  /** Adds attributes. Undefined values are left out. */
  set(attributes: Attributes): void;
  /** Renames the span, for a name that is known late (an HTTP route). */
  rename(name: string): void;
  /** Notes a moment inside the span. */
  event(name: string, attributes?: Attributes): void;
  /** Marks the span as failed without throwing. `type` is a stable code. */
  fail(type: string, message?: string): void;
  /** The span's own context, to hand on to others. */
  readonly trace: TraceContext;
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/**
 * Runs `work` in a span, which is active in everything that it awaits, and ends the span with it. An error is noted by
 * its code (or class) and thrown on unchanged. Without started telemetry the work just runs.
 *
 * @example
 * await withSpan(SPANS.mint, { kind: 'internal', attributes: { 'mayfly.capability': name } }, async (span) => { … });
 */
export function withSpan<T>(name: string, options: SpanOptions, work: (span: ActiveSpan) => T | Promise<T>): Promise<T> {
  const startsIn = startingContext(options.parent);
  const span = trace.getTracer('mayfly').startSpan(
    name,
    {
      kind: KINDS[options.kind ?? 'internal'],
      attributes: { ...options.attributes },
      links: linksOf(options.links),
      root: options.root ?? false,
    },
    startsIn,
  );
  return context.with(trace.setSpan(startsIn, span), async () => {
    try {
      return await work(handle(span));
    } catch (error) {
      failed(span, errorType(error), error instanceof MayflyError ? error.message : undefined);
      throw error;
    } finally {
      span.end();
    }
  });
}

const linksOf = (links: readonly TraceContext[] = []): Link[] =>
  links.flatMap((link) => {
    const target = toSpanContext(link);
    return target ? [{ context: target }] : [];
  });

function failed(span: Span, type: string, message?: string): void {
  span.setAttribute(ATTRIBUTES.errorType, type);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}

const handle = (span: Span): ActiveSpan => ({
  set: (attributes) => void span.setAttributes({ ...attributes }),
  rename: (name) => void span.updateName(name),
  event: (name, attributes) => void span.addEvent(name, { ...attributes }),
  fail: (type, message) => failed(span, type, message),
  trace: fromSpanContext(span.spanContext()),
});
