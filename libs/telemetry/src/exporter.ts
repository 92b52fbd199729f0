/**
 * Where spans go, and what keeps a slow or dead receiver from being felt.
 * @module
 */
import { TraceFlags } from '@opentelemetry/api';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { counter } from './metrics.js';
import { METRICS } from './names.js';

const lost = counter(METRICS.spansLost);

/** Spans kept while the receiver is away; more are dropped. */
const QUEUE = 4096;
/** Exports that may be under way at once. A receiver that accepts and never answers would else collect sockets. */
const OUTSTANDING = 4;
const EXPORT_TIMEOUT_MS = 5_000;

/** The processor that the environment asks for: OTLP before Zipkin; undefined when neither is set. */
export function exportingProcessor(env: NodeJS.ProcessEnv): SpanProcessor | undefined {
  const exporter = exporterOf(env);
  if (!exporter) return undefined;
  const queue = { waiting: 0 };
  const batches = new BatchSpanProcessor(guarded(exporter, queue), {
    maxQueueSize: QUEUE,
    scheduledDelayMillis: 1_000,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
  return bounded(batches, queue);
}

/** Drops what the queue has no place for itself: the batch processor would not say how much it was. */
function bounded(batches: SpanProcessor, queue: { waiting: number }): SpanProcessor {
  return {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd: (span) => {
      if (!(span.spanContext().traceFlags & TraceFlags.SAMPLED)) return;
      if (queue.waiting >= QUEUE) return lost.add(1);
      queue.waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

function exporterOf(env: NodeJS.ProcessEnv): SpanExporter | undefined {
  // The OTLP exporter reads the endpoint from the environment by itself; given here, so that `env` alone decides.
  const otlp = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (otlp) return new OTLPTraceExporter({ url: `${otlp.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS });
  const zipkin = env['ZIPKIN_ENDPOINT'];
  return zipkin ? new ZipkinExporter({ url: zipkin }) : undefined;
}

/** Counts what is lost and lets only so many exports wait at once. */
function guarded(exporter: SpanExporter, queue: { waiting: number }): SpanExporter {
  let outstanding = 0;
  return {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
      queue.waiting -= spans.length;
      if (outstanding >= OUTSTANDING) {
        lost.add(spans.length);
        return done({ code: ExportResultCode.FAILED });
      }
      outstanding += 1;
      exporter.export(spans, (result) => {
        outstanding -= 1;
        if (result.code !== ExportResultCode.SUCCESS) lost.add(spans.length);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
