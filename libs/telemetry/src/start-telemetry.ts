/**
 * Starts tracing for one process.
 * @module
 */
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { NodeTracerProvider, ParentBasedSampler, TraceIdRatioBasedSampler, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { BadConfig } from '@mayfly/domain';
import { exportingProcessor } from './exporter.js';

/** Who is traced, and the environment that says where spans go. */
export interface TelemetryOptions {
  readonly service: string;
  readonly version: string;
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`, else `ZIPKIN_ENDPOINT`, else nothing is exported; `OTEL_TRACES_SAMPLER_ARG` (0 to 1, default 1). */
  readonly env: NodeJS.ProcessEnv;
}

/** Started telemetry. */
export interface Telemetry {
  /** Sends what is left, for at most three seconds, and stops. Never rejects. */
  shutdown(): Promise<void>;
}

const SHUTDOWN_MS = 3_000;

/**
 * Starts tracing: parent-based ratio sampling, W3C propagation, spans sent in batches in the background. A receiver that is
 * away or slow is never felt: spans are dropped and counted.
 * @throws BadConfig when the sampling ratio is not a number from 0 to 1
 */
export function startTelemetry({ service, version, env }: TelemetryOptions): Telemetry {
  const processor = exportingProcessor(env);
  const provider = install({ service, version, ratio: ratioOf(env), processors: processor ? [processor] : [] });
  return { shutdown: () => uninstall(provider) };
}

function ratioOf(env: NodeJS.ProcessEnv): number {
  const text = env['OTEL_TRACES_SAMPLER_ARG'];
  const ratio = text ? Number(text) : 1;
  if (!(ratio >= 0 && ratio <= 1)) throw new BadConfig('OTEL_TRACES_SAMPLER_ARG has to be a number from 0 to 1');
  return ratio;
}

/** Makes a tracer provider the process's own. */
export function install(options: { service: string; version: string; ratio: number; processors: SpanProcessor[] }): NodeTracerProvider {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.version': options.version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    spanProcessors: options.processors,
    spanLimits: { attributeValueLengthLimit: 1024 },
  });
  provider.register({ propagator: new W3CTraceContextPropagator(), contextManager: new AsyncLocalStorageContextManager() });
  return provider;
}

/** Undoes {@link install}, so that another provider may follow. */
export async function uninstall(provider: NodeTracerProvider): Promise<void> {
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, SHUTDOWN_MS).unref());
  await Promise.race([provider.shutdown().catch(() => undefined), timeout]);
  trace.disable();
  context.disable();
  propagation.disable();
}
