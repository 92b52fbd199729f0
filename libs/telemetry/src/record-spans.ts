/**
 * Spans kept in memory, for tests of everything that traces.
 * @module
 */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { install, uninstall } from './start-telemetry.js';

/** A span that has ended. */
export interface RecordedSpan {
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
  readonly statusMessage: string | undefined;
}

/**
 * Records all spans of this process until stopped.
 * @example
 * const recording = recordSpans();
 * afterAll(() => recording.stop());
 */
export function recordSpans(): { spans(): RecordedSpan[]; clear(): void; stop(): Promise<void> } {
  const exporter = new InMemorySpanExporter();
  const provider = install({ service: 'test', version: '0', ratio: 1, processors: [new SimpleSpanProcessor(exporter)] });
  return {
    spans: () => exporter.getFinishedSpans().map(recorded),
    clear: () => exporter.reset(),
    stop: () => uninstall(provider),
  };
}

const recorded = (span: ReadableSpan): RecordedSpan => ({
  name: span.name,
  kind: SpanKind[span.kind].toLowerCase(),
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parentSpanId: span.parentSpanContext?.spanId,
  attributes: span.attributes,
  links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
  failed: span.status.code === SpanStatusCode.ERROR,
  statusMessage: span.status.message,
});
